# SPDX-License-Identifier: Apache-2.0
"""A test may skip only for a reason that stands in a list: any other skip would check nothing, unnoticed, and fails."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

ALLOWED = {
    r"could not import 'cv_bridge'": "comes with a ROS 2 installation only; the wheel of that name is ROS 1's",
    r"could not import 'torchvision'": "an extra of its own, whose wheel must fit torch's",
    r"could not import 'ultralytics'": "AGPL-3.0: nobody has to install it to test the rest",
    r"takes half a minute: make soak": "runs in `make soak`",
    r"no real driving data: ": "public data sets are too large to be shipped, and not ours to ship",
    r"no .+ in /": "one of those data sets is not there",
    r"no night images": "one of those data sets is not there",
    r"no file system can be mounted here": "containers may forbid it",
    r"this processor does not compute in bf16": "hardware",
    r"one core": "hardware",
    r"an Intel GPU is there|a GPU trains|needs a machine without an?( NVIDIA)? GPU": "tests what is said where none is",
    r"(TensorRT|torchvision|ultralytics) is installed": "tests what is said where it is not",
}
"""Why it is right to skip, by a pattern that the reason begins with."""

if (Path(sys.prefix) / ".no-browser").is_file():
    ALLOWED[r"no Chromium or Chrome here"] = "scripts/setup.sh, which installs it, could not: it needs root and Debian"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of one test, also where a fixture skips it."""
    report = yield
    if not hasattr(report, "wasxfail"):
        refuse(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of a whole module."""
    report = yield
    refuse(report)
    return report


def refuse(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Makes a skip that is not allowed a failure."""
    if report.skipped and isinstance(report.longrepr, tuple):
        path, line, message = report.longrepr
        reason = message.removeprefix("Skipped: ")
        if not any(re.match(pattern, reason) for pattern in ALLOWED):
            report.outcome = "failed"
            report.longrepr = (
                f"{path}:{line}: skipped: {reason}\nNo reason to skip that tests/helpers/skips.py allows: "
                "install what is missing (make install), or add the reason there and say why it is right"
            )
