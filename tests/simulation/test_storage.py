# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import numpy as np
import pytest

from perception.errors import DataError
from perception.simulation.drive import SimulatedDrive
from perception.simulation.storage import FOLDERS, write_drive


def _contents(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_workers_write_the_same_files_as_one_process(tmp_path: Path) -> None:
    drive = SimulatedDrive(2, "day", frames=3, scale=0.1)
    counts: list[int] = []
    one = write_drive(drive, tmp_path / "one", workers=1, progress=counts.append)
    two = write_drive(drive, tmp_path / "two", workers=2)
    assert counts == [1, 2, 3]
    assert _contents(one) == _contents(two)
    assert len(_contents(one)) == 3 * len(FOLDERS) + 1


def test_a_finished_drive_is_not_overwritten(tmp_path: Path) -> None:
    drive = SimulatedDrive(2, "day", frames=1, scale=0.05)
    write_drive(drive, tmp_path)
    with pytest.raises(DataError, match="already holds a drive"):
        write_drive(drive, tmp_path)


def test_a_folder_of_somebody_else_s_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "image").mkdir()
    (tmp_path / "image/000000.png").write_bytes(b"mine")
    with pytest.raises(DataError, match="holds image, which is not part of a drive"):
        write_drive(SimulatedDrive(2, "day", frames=1, scale=0.05), tmp_path)
    assert _contents(tmp_path) == {"image/000000.png": b"mine"}


def test_a_drive_that_was_stopped_is_written_again(tmp_path: Path) -> None:
    drive = SimulatedDrive(2, "day", frames=2, scale=0.05)

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_drive(drive, tmp_path / "drive", progress=stop)
    write_drive(drive, tmp_path / "drive")
    assert _contents(tmp_path / "drive") == _contents(write_drive(drive, tmp_path / "other"))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match="file"):
        write_drive(SimulatedDrive(2, "day", frames=1, scale=0.05), tmp_path / "file" / "drive")


def test_velodyne_files_are_kittis(tmp_path: Path) -> None:
    drive = SimulatedDrive(2, "day", frames=1, scale=0.1)
    write_drive(drive, tmp_path)
    points = np.fromfile(tmp_path / "velodyne" / "000000.bin", "<f4").reshape(-1, 4)
    np.testing.assert_array_equal(points, drive[0].frame.points)
