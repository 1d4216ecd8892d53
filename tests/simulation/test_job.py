# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.errors import DataError
from perception.simulation.job import SimulateOptions, plan


def test_seeds_count_up_and_conditions_take_turns(tmp_path: Path) -> None:
    planned = plan(SimulateOptions(output=tmp_path / "out", seed=7, conditions=("day", "rain"), drives=3, frames=2))
    assert [(each.drive.seed, each.drive.condition) for each in planned] == [(7, "day"), (8, "rain"), (9, "day")]
    assert [each.folder.name for each in planned] == ["day-0007", "rain-0008", "day-0009"]
    assert [len(each.drive) for each in planned] == [2] * 3
    assert not (tmp_path / "out").exists()  # nothing is rendered yet


def test_one_drive_has_the_folder_for_itself(tmp_path: Path) -> None:
    (each,) = plan(SimulateOptions(output=tmp_path / "out", conditions=("night",), drives=1, rig="robot"))
    assert each.folder == tmp_path / "out"
    assert (each.drive.condition, each.drive.rig.name) == ("night", "robot")


def test_a_folder_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(DataError, match="photos"):
        plan(SimulateOptions(output=tmp_path, drives=2))
