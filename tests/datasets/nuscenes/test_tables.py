# SPDX-License-Identifier: Apache-2.0
"""nuScenes' tables, and what is said of those that are broken."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.datasets.nuscenes import LEFT, START_US, write_nuscenes, write_table

from perception.datasets.nuscenes.tables import Tables, holds_nuscenes, matrix
from perception.errors import DataError

FRONT = ("CAM_FRONT", "LIDAR_TOP")


def test_a_scene_has_its_channels_in_the_order_of_time(tmp_path: Path) -> None:
    (scene,) = Tables(write_nuscenes(tmp_path)).scenes(FRONT)
    assert scene.name == "scene-0103"
    assert sorted(scene.channels) == ["CAM_FRONT", "LIDAR_TOP"]
    stamps = [record.stamp_ns for record in scene.channels["LIDAR_TOP"].records]
    assert stamps == [START_US * 1000, (START_US + 500_000) * 1000]
    assert scene.channels["CAM_FRONT"].size == (1600, 900)
    assert scene.channels["LIDAR_TOP"].intrinsics is None


def test_a_version_is_found_by_its_folder_or_the_one_above(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path / "one")
    assert holds_nuscenes(root)
    assert holds_nuscenes(root / "v1.0-mini")
    assert Tables(root).root == Tables(root / "v1.0-mini").root == root
    (root / "v1.0-trainval").mkdir()
    (root / "v1.0-trainval/sample_data.json").write_text("[]")
    with pytest.raises(DataError, match=r"several versions; name the folder of one: .*v1\.0-mini, .*v1\.0-trainval"):
        Tables(root)
    with pytest.raises(DataError, match="no nuScenes"):
        Tables(tmp_path)


def test_a_quaternion_turns_as_it_says() -> None:
    np.testing.assert_allclose(matrix([1, 2, 3], LEFT) @ [1, 0, 0, 1], [1, 3, 3, 1], atol=1e-12)
    with pytest.raises(ValueError, match="length 2"):
        matrix([0, 0, 0], [2, 0, 0, 0])


def test_broken_tables_are_told_by_file_and_row(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    with pytest.raises(DataError, match="no channel CAM_TOP; there are CAM_BACK, CAM_FRONT, LIDAR_TOP"):
        Tables(root).scenes(("CAM_TOP",))
    poses = json.loads((root / "v1.0-mini/ego_pose.json").read_text())
    write_table(root, "ego_pose", [{**row, "rotation": [0, 0, 0, 0]} for row in poses])
    with pytest.raises(DataError, match=r"ego_pose.json: token \w+: rotation: a quaternion of length 0"):
        Tables(root).scenes(FRONT)
    write_table(root, "ego_pose", poses[1:])
    with pytest.raises(DataError, match=r"ego_pose.json: no row with token LIDAR_TOP0, which another table names"):
        Tables(root).scenes(FRONT)
    (root / "v1.0-mini/ego_pose.json").write_text("[{")
    with pytest.raises(DataError, match=r"ego_pose.json: not valid JSON"):
        Tables(root).scenes(FRONT)
    (root / "v1.0-mini/sensor.json").unlink()
    with pytest.raises(DataError, match=r"sensor.json: no such file"):
        Tables(root).scenes(FRONT)
