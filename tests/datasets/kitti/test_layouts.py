# SPDX-License-Identifier: Apache-2.0
"""Each layout as a recording: streams, stamps, mounts, poses, boxes; and folders without a recording."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from helpers.kitti import odometry_sequence, raw_drive

from perception.datasets.kitti.layouts import open_drive
from perception.errors import DataError


def test_raw_drives_are_found_from_the_folders_above(tmp_path: Path) -> None:
    drive = raw_drive(tmp_path)
    for path in (drive, drive.parent, tmp_path):
        assert len(open_drive(path).sweeps) == 3


def test_sequences_without_poses_and_folders_of_several(tmp_path: Path) -> None:
    odometry_sequence(tmp_path, "07")
    odometry_sequence(tmp_path, "11", poses=False)
    assert len(open_drive(tmp_path, "11").poses) == 0
    with pytest.raises(DataError, match="2 sequences; name one of them with --sequence: 07, 11"):
        open_drive(tmp_path)
    with pytest.raises(DataError, match="no sequence '12'"):
        open_drive(tmp_path / "sequences", "12")


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no such folder \(a KITTI drive\)"):
        open_drive(tmp_path / "nowhere")
    with pytest.raises(DataError, match="not a KITTI drive: neither image_02/data"):
        open_drive(tmp_path)
    raw_drive(tmp_path)
    raw_drive(tmp_path / "more")
    shutil.copytree(tmp_path / "more/2011_09_26", tmp_path / "2011_09_28")
    with pytest.raises(DataError, match="2 sequences; name one of them with --sequence: 2011_09_26/2011_09_26_drive"):
        open_drive(tmp_path)
    empty = tmp_path / "2011_09_26/2011_09_26_drive_0009_sync"
    (empty / "oxts/data").mkdir(parents=True)
    with pytest.raises(DataError, match="no image, sweep or OXTS packet"):
        open_drive(empty)
