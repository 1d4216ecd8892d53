# SPDX-License-Identifier: Apache-2.0
"""The gallery's commands, each rig's in a folder of its own, with the bag that the page says is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import rigs

from perception.frame import Frame

PAGE = Path(__file__).resolve().parents[2] / "docs/gallery.md"
RIGS = {"zed_bag": rigs.stereo, "thermal_bag": rigs.thermal, "robot_bag": rigs.robot, "compressed_bag": rigs.compressed}
"""Who makes the bag that a section names."""

SECTIONS = {
    title: [line for block in re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S) for line in block.splitlines()]
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE.read_text("utf-8"), re.M | re.S)
}
SENSORS = {
    "kitti_bag": {"rgb", "lidar"},
    "zed_bag": {"rgb", "depth"},
    "thermal_bag": {"rgb", "infrared"},
    "robot_bag": {"rgb", "depth"},
    "compressed_bag": {"rgb", "depth", "lidar"},
}


@pytest.fixture(scope="module")
def drive() -> Sequence[Frame]:
    """Two small frames of a simulated drive."""
    pytest.importorskip("open3d", reason="no simulator: Open3D is not installed", exc_type=ImportError)
    from perception.simulation import SimulatedDrive

    simulated = SimulatedDrive(seed=7, frames=2, scale=0.25)
    return [simulated[number].frame for number in range(2)]


def test_there_are_five_of_ten_lines_at_most() -> None:
    assert len(SECTIONS) == 5
    assert all(2 <= len(lines) <= 10 for lines in SECTIONS.values())


@pytest.mark.parametrize("title", SECTIONS)
def test_a_rig_gets_from_bag_to_mask(title: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    lines = SECTIONS[title]
    (bag,) = {name for line in lines for name in re.findall(r"\w+_bag\b", line)}
    if bag in RIGS:
        rigs.write(tmp_path / bag, RIGS[bag], request.getfixturevalue("drive"))
    else:
        (tmp_path / "kitti").symlink_to(request.getfixturevalue("real_data") / "kitti_raw")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "HOME": str(tmp_path), "PATH": path}
    said = ""
    for line in lines:
        done = subprocess.run(
            ["bash", "-c", line], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=250
        )
        assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        said += done.stdout
    assert set(re.findall(r"(\w+) \d+(?=[,)])", said.split(f"{bag} (")[-1].split("→")[0])) == SENSORS[bag]
    assert "wanting" not in said
    assert "not sure" not in said
    masks = sorted((tmp_path / "labels" / bag / "labels").glob("*.png"))
    assert len(masks) >= 2
    classes = np.unique(cv2.imread(str(masks[0]), cv2.IMREAD_UNCHANGED))
    assert {0, 1} <= set(classes.tolist()), "every one of these streets has a road"
