# SPDX-License-Identifier: Apache-2.0
"""Visible and thermal pairs."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.datasets.registry import open_dataset
from perception.datasets.rgb_thermal import RgbThermal
from perception.errors import DataError

from .conftest import picture, write


def test_pairs_come_with_infrared_and_soft_labels(thermal_root):
    samples = RgbThermal(thermal_root)
    assert len(samples) == 5
    assert samples[0].frame.modalities == ("rgb", "infrared")
    assert samples[0].frame.infrared.dtype == np.uint8
    assert samples[0].probabilities.shape == (10, 16, 4)
    assert samples[4].probabilities is None


def test_16_bit_thermal_stays_16_bit(thermal_root):
    cv2.imwrite(str(thermal_root / "infrared/FLIR_00000.png"), np.full((20, 32), 30000, np.uint16))
    infrared = RgbThermal(thermal_root)[0].frame.infrared
    assert infrared.dtype == np.uint16
    assert infrared[0, 0] == 30000


def test_val_is_the_end_where_there_is_no_official_split(thermal_root):
    names = {split: [s.name for s in RgbThermal(thermal_root, split)] for split in ("train", "val", "all")}
    assert names["val"] == ["FLIR_00004"]
    assert names["train"] + names["val"] == names["all"]


def test_val_has_night_and_day_where_names_tell_them_apart(tmp_path):
    lights = "DNNDNDNNDNDDNNN"
    for number, light in enumerate(lights):
        for folder in ("visible", "infrared"):
            write(tmp_path / folder / f"{number:05d}{light}.png", picture((20, 32)))
    names = {split: [s.name for s in open_dataset("msrs-more", tmp_path, split)] for split in ("train", "val", "all")}
    assert names["val"] == ["00011D", "00013N", "00014N"]
    assert sorted(names["train"] + names["val"]) == names["all"] == sorted(names["all"])
    (tmp_path / "visible/00007N.png").rename(tmp_path / "visible/00007.png")
    (tmp_path / "infrared/00007N.png").rename(tmp_path / "infrared/00007.png")
    assert [sample.name for sample in RgbThermal(tmp_path, "val")] == ["00012N", "00013N", "00014N"]


def test_official_splits_and_folder_names(thermal_root, tmp_path):
    for split in ("train", "test"):
        (tmp_path / "msrs" / split).mkdir(parents=True)
        (tmp_path / "msrs" / split / "vi").symlink_to(thermal_root / "visible")
        (tmp_path / "msrs" / split / "ir").symlink_to(thermal_root / "infrared")
    assert len(RgbThermal(tmp_path / "msrs", "val")) == 5
    assert len(RgbThermal(tmp_path / "msrs", "all")) == 10


def test_mistakes_name_path_and_reason(thermal_root, tmp_path):
    (thermal_root / "infrared/FLIR_00002.png").unlink()
    with pytest.raises(DataError, match=r"infrared: no partner for 1 of 5 .*FLIR_00002\.jpg"):
        RgbThermal(thermal_root)
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match=r"empty: no pair of folders visible/ and infrared/"):
        RgbThermal(tmp_path / "empty")


@pytest.mark.parametrize(("name", "count"), [("roadscene", 221), ("msrs", 10), ("msrs_more", 346)])
def test_the_real_sets(real_data, name, count):
    samples = RgbThermal(real_data / name)
    assert len(samples) == count
    sample = samples[-1]
    assert sample.frame.infrared.shape == sample.frame.rgb.shape[:2]
    np.testing.assert_allclose(sample.probabilities.sum(2), 1, atol=1e-5)


def test_the_real_val_has_a_fifth_of_the_nights_and_of_the_days(real_data):
    lights = [sample.name[-1] for sample in RgbThermal(real_data / "msrs_more", "val")]
    assert (lights.count("N"), lights.count("D")) == (37, 32)
