# SPDX-License-Identifier: Apache-2.0
"""KITTI's semantic segmentation benchmark in its official layout."""

from __future__ import annotations

import pytest
from helpers.kitti_benchmarks import IDS, write_semantics

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.kitti.semantics import KittiSemantics
from perception.datasets.registry import open_dataset
from perception.errors import DataError


@pytest.fixture
def semantics_root(tmp_path):
    return write_semantics(tmp_path / "semantics")


def test_ids_become_ours_and_what_is_not_evaluated_is_unknown(semantics_root):
    samples = KittiSemantics(semantics_root, "all")
    assert [sample.name for sample in samples] == [f"training/{i:06d}_10" for i in range(5)]
    assert samples[0].labels[0, ::4].tolist() == [
        ROAD, BACKGROUND, PEDESTRIAN, PEDESTRIAN, VEHICLE, VEHICLE, UNLABELLED, UNLABELLED,
    ]  # fmt: skip
    assert samples.ids("training/000000_10", (32, 20))[0, ::4].tolist() == list(IDS)


def test_splits(semantics_root):
    assert [sample.name for sample in open_dataset("kitti-semantics", semantics_root)] == ["training/000004_10"]
    assert len(KittiSemantics(semantics_root, "train")) == 4
    test = KittiSemantics(semantics_root, "test")
    assert (len(test), test[0].name, test[0].labels) == (2, "testing/000000_10", None)


def test_mistakes_name_path_and_reason(semantics_root, tmp_path):
    with pytest.raises(DataError, match="this data set has train, val, all, test"):
        KittiSemantics(semantics_root, "trial")
    with pytest.raises(DataError, match="training/image_2: no such folder"):
        KittiSemantics(tmp_path / "nowhere")
    (semantics_root / "training/semantic/000000_10.png").unlink()
    with pytest.raises(DataError, match=r"semantic/000000_10\.png: no such file"):
        KittiSemantics(semantics_root, "all")[0]
