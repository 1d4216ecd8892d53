# SPDX-License-Identifier: Apache-2.0
"""What a test needs is known from where it stands and what it asks for, so that nobody has to mark it."""

from __future__ import annotations

from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

ROS = ("faults", "ros", "test_extras.py")
"""Folders and files whose tests start nodes; so do those with the fixture `ros`."""

SLOW = (
    *("benchmark", "checking", "cli", "explanation", "export", "labelling", "simulation", "training"),
    *("bags/test_broken.py", "datasets/test_simulated.py", "engines/test_engines.py", "engines/test_openvino.py"),
    *("engines/test_cuda.py", "engines/test_light_openvino.py", "engines/test_pytorch.py"),
    "models/test_across.py",
    *("evaluation/robustness/test_report.py", "evaluation/test_page.py"),
    *("reporting/test_page.py", "test_disk.py", "project/test_gallery.py", "project/test_packaging.py"),
    *("test_processes.py", "project/test_skips.py", "project/test_tutorials.py", "viewing"),
)
"""Folders and files that train, render, compile networks or start processes: seconds per test."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests `ros` that start nodes, `slow` that take seconds, and `data` that look at public driving data."""
    for item in items:
        place = item.path.relative_to(TESTS).as_posix() if item.path.is_relative_to(TESTS) else ""
        fixtures = getattr(item, "fixturenames", ())
        if _in(place, ROS) or "ros" in fixtures:
            item.add_marker(pytest.mark.ros)
        if _in(place, SLOW):
            item.add_marker(pytest.mark.slow)
        if "real_data" in fixtures:
            item.add_marker(pytest.mark.data)


def _in(place: str, where: tuple[str, ...]) -> bool:
    return any(place == each or place.startswith(f"{each}/") for each in where)
