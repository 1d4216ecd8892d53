# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from perception.assembly.lidar_names import first_of, lidar_names, modality_of


def test_each_lidar_has_a_name_and_all_are_one_modality() -> None:
    assert lidar_names(3) == ("lidar", "lidar2", "lidar3")
    assert {modality_of(name) for name in lidar_names(9)} == {"lidar"}
    assert modality_of("infrared") == "infrared"


def test_the_first_that_is_there_stands_for_all() -> None:
    assert first_of({"lidar3": 1, "rgb": 2, "lidar2": 3}, "lidar") == 3
    assert first_of({"lidar3": 1, "rgb": 2, "lidar2": 3}, "rgb") == 2
