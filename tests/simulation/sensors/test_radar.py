# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.datasets.simulated import SimulatedFolder
from perception.errors import DataError, PerceptionError
from perception.sensors.radar import RATE, SECTION, speeds
from perception.simulation import SimulatedDrive
from perception.simulation.sensors.radar import STRONGEST
from perception.simulation.storage import write_drive


@pytest.fixture(scope="module")
def drive() -> SimulatedDrive:
    return SimulatedDrive(3, frames=20, scale=0.1, further=("radar",))


def test_what_stands_still_comes_near_and_has_no_speed(drive: SimulatedDrive) -> None:
    returns = drive[10].frame.extra["radar"]
    assert 20 < len(returns.values) < 1.3 * STRONGEST
    assert returns.velocity is not None
    assert returns.velocity[0] > 3
    ahead = np.abs(returns.values[:, 1]) < 0.2 * returns.values[:, 0]
    assert np.median(returns.values[:, RATE]) < -2
    assert abs(np.median(speeds(returns))) < 0.2
    assert ahead.any()
    assert -30 < np.median(returns.values[:, SECTION]) < 15


def test_a_radar_knows_no_height(drive: SimulatedDrive) -> None:
    assert not drive[10].frame.extra["radar"].values[:, 2].any()


def test_a_radar_changes_nothing_of_the_others(drive: SimulatedDrive) -> None:
    alone = SimulatedDrive(3, frames=20, scale=0.1)[10].frame
    both = drive[10].frame
    assert (alone.modalities, both.modalities) == (alone.modalities, (*alone.modalities, "radar"))
    for name in ("rgb", "depth", "infrared", "points"):
        np.testing.assert_array_equal(getattr(alone, name), getattr(both, name))


def test_it_comes_back_from_disk(tmp_path: Path) -> None:
    drive = SimulatedDrive(3, frames=1, scale=0.05, further=("radar",))
    folder = write_drive(drive, tmp_path / "drive")
    written, read = drive[0].frame.extra["radar"], SimulatedFolder(folder)[0].frame.extra["radar"]
    for name in ("values", "to_camera", "velocity"):
        np.testing.assert_array_equal(getattr(written, name), getattr(read, name))
    (folder / "radar/000000.npz").write_bytes(b"broken")
    with pytest.raises(DataError, match=r"radar/000000.npz: cannot be read .*; simulate it again"):
        SimulatedFolder(folder)[0]


def test_a_sensor_that_is_none_is_refused() -> None:
    with pytest.raises(PerceptionError, match="no further sensor sonar: there are radar"):
        SimulatedDrive(further=("sonar",))
