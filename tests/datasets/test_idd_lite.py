# SPDX-License-Identifier: Apache-2.0
"""IDD-Lite in its official layout."""

from __future__ import annotations

import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.idd_lite import IddLite
from perception.errors import DataError


def test_drives_are_walked_and_ids_are_ours(idd_root):
    samples = IddLite(idd_root, "train")
    assert [sample.name for sample in samples] == ["train/0/024541", "train/10/frame0992"]
    assert samples[0].labels[0, ::4].tolist() == [
        ROAD, BACKGROUND, PEDESTRIAN, VEHICLE, BACKGROUND, BACKGROUND, BACKGROUND, UNLABELLED,
    ]  # fmt: skip


def test_mistakes_name_path_and_reason(idd_root, tmp_path):
    with pytest.raises(DataError, match="this data set has train, val"):
        IddLite(idd_root, "test")
    (idd_root / "gtFine/val/119/903127_label.png").unlink()
    with pytest.raises(DataError, match=r"gtFine/val/119/903127_label\.png: no such file"):
        IddLite(idd_root, "val")[0]
    (tmp_path / "leftImg8bit" / "val").mkdir(parents=True)
    with pytest.raises(DataError, match=r"no DRIVE/NAME_image\.jpg"):
        IddLite(tmp_path, "val")


def test_the_real_set(real_data):
    train, val = IddLite(real_data / "idd_lite", "train"), IddLite(real_data / "idd_lite", "val")
    assert (len(train), len(val)) == (1403, 102)
    assert val[-1].frame.size == (320, 227)
    assert (val[-1].labels == ROAD).mean() > 0.1
