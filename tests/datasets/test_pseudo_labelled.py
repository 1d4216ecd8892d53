# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.kitti_benchmarks import write_semantics

from perception.classes import ROAD, VEHICLE
from perception.datasets.kitti.semantics import KittiSemantics
from perception.datasets.pseudo_labelled import INDEX, PseudoLabelled, label_path, write_label
from perception.errors import DataError

SURE_OF_ROAD, UNSURE = (0, 255, 0, 0), (0, 0, 0, 0)


def labelled(folder: Path, filled: bool = False, numbers: tuple[int, ...] = (3, 1)) -> PseudoLabelled:
    """Two samples of KITTI semantics: 3, road on the left and unsure on the right, and 1, road and vehicle alike."""
    source, root = write_semantics(folder / "kitti"), folder / "soft"
    soft = np.zeros((10, 16, 4), np.uint8)
    soft[:, :8], soft[:, 8:] = SURE_OF_ROAD, UNSURE
    write_label(label_path(root, 3), soft)
    both = np.zeros((10, 16, 4), np.uint8)
    both[..., ROAD], both[..., VEHICLE] = 150, 50
    write_label(label_path(root, 1), both)
    index = {"dataset": "kitti-semantics", "root": str(source), "split": "all", "numbers": numbers, "filled": filled}
    (root / INDEX).write_text(json.dumps(index))
    return PseudoLabelled(root)


def test_samples_have_the_frame_of_their_number_and_the_soft_labels(tmp_path: Path) -> None:
    found = labelled(tmp_path)
    assert len(found) == 2
    frames = KittiSemantics(tmp_path / "kitti", "all")
    assert [sample.name for sample in found] == [frames[3].name, frames[1].name]
    first, second = found[0].probabilities, found[1].probabilities
    assert first is not None
    assert second is not None
    assert first.shape == (10, 16, 4)
    np.testing.assert_array_equal(first[0, 0], [0, 1, 0, 0])
    np.testing.assert_array_equal(first[0, 15], [0.25] * 4)
    np.testing.assert_allclose(second[5, 5], [0, 0.75, 0.25, 0])


def test_the_truth_stays_only_where_it_was_filled_in(tmp_path: Path) -> None:
    assert labelled(tmp_path / "a")[0].labels is None
    filled = labelled(tmp_path / "b", filled=True)[0]
    assert filled.labels is not None
    assert filled.labels.shape == (20, 32)
    assert filled.probabilities is not None


@pytest.mark.parametrize("text", ["[]", "{}", "no JSON", '{"numbers": ["x"]}'])
def test_a_broken_index_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / INDEX).write_text(text)
    with pytest.raises(DataError, match=r"pseudo_labels\.json"):
        PseudoLabelled(tmp_path)


def test_a_file_is_named_by_six_digits(tmp_path: Path) -> None:
    assert label_path(tmp_path, 42) == tmp_path / "000042.png"
    assert label_path(tmp_path, 1234567).name == "1234567.png"
