# SPDX-License-Identifier: Apache-2.0
"""Data sets by name."""

from __future__ import annotations

import pytest

from perception.datasets.registry import open_dataset
from perception.errors import DataError


def test_names_open_their_readers(camvid_root, idd_root, thermal_root, frames_root):
    roots = {"camvid": camvid_root, "idd-lite": idd_root, "roadscene": thermal_root, "msrs": thermal_root,
             "kitti-frames": frames_root, "kitti-object": frames_root}  # fmt: skip
    counts = {name: len(open_dataset(name, root, "val")) for name, root in roots.items()}
    assert counts == {"camvid": 1, "idd-lite": 1, "roadscene": 1, "msrs": 1, "kitti-frames": 3, "kitti-object": 15}


def test_unknown_names_and_splits_list_the_known_ones(thermal_root):
    with pytest.raises(DataError, match=r"'cityscape'; did you mean 'cityscapes'\? There are camvid, "):
        open_dataset("cityscape", thermal_root)
    with pytest.raises(DataError, match="this data set has train, val, all"):
        open_dataset("msrs", thermal_root, "test")
