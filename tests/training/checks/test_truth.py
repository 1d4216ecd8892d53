# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.io.files import read_soft_labels
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample
from perception.training.checks.truth import certain_labels, crop_soft, hard_labels
from perception.training.data.augment import Crop, random_crop


def _sample(probabilities: np.ndarray | None, labels: np.ndarray | None = None, scale: int = 1) -> Sample:
    known = probabilities if probabilities is not None else labels
    height, width = (64, 96) if known is None else (known.shape[0] * scale, known.shape[1] * scale)
    return Sample("x", Frame(0, np.zeros((height, width, 3), np.uint8)), labels, probabilities)


def test_hardened_soft_labels_teach_only_where_they_are_sure() -> None:
    probabilities = np.zeros((2, 2, 4), np.float32)
    probabilities[0] = (0, 1, 0, 0)
    probabilities[1] = (0.3, 0.3, 0.2, 0.2)
    np.testing.assert_array_equal(hard_labels(_sample(probabilities)), [[1, 1], [255, 255]])


def test_class_ids_count_where_there_are_both() -> None:
    probabilities = np.zeros((2, 2, 4), np.float32)
    probabilities[..., 1] = 1
    labels = np.array([[2, 255], [255, 255]], np.uint8)
    sample = _sample(probabilities, labels)
    np.testing.assert_array_equal(hard_labels(sample), [[2, 1], [1, 1]])
    np.testing.assert_array_equal(certain_labels(sample), labels)
    unlabelled = np.full((4, 4), 255, np.uint8)
    soft = crop_soft(_sample(probabilities, scale=2), Crop(np.eye(3), 4, 4), unlabelled)
    np.testing.assert_array_equal(soft, np.full((2, 2, 4), (0, 255, 0, 0)))


def test_a_sample_without_any_labels_is_an_error() -> None:
    with pytest.raises(DataError, match="no labels"):
        hard_labels(_sample(None))
    assert (certain_labels(_sample(np.zeros((2, 2, 4), np.float32))) == 255).all()


@given(st.integers(0, 2**32 - 1))
def test_cropped_soft_labels_stay_on_the_image(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((80, 160), np.uint8)
    labels[20:60, 60:120] = 2
    probabilities = np.eye(4, dtype=np.float32)[labels[::2, ::2]]
    sample = _sample(probabilities, scale=2)
    crop = random_crop((160, 80), (64, 96), (0.6, 1.8), rng)
    soft = crop_soft(sample, crop, np.full((64, 96), 255, np.uint8))
    assert soft.shape == (32, 48, 4)
    truth = crop.image(labels, nearest=True, border=255)[::2, ::2]
    known = soft.sum(2) > 250
    assert np.mean((soft.argmax(2) == truth)[known & (truth < 255)]) > 0.9
    assert (soft.astype(int).sum(2) <= 257).all()


def test_what_a_file_knows_nothing_of_teaches_nothing(tmp_path) -> None:
    """Left half: all channels about 64. Right half: road."""
    soft = np.full((32, 48, 4), (63, 64, 64, 64), np.uint8)
    soft[:, 24:] = 17, 238, 0, 0
    cv2.imwrite(str(tmp_path / "soft.png"), soft)
    sample = _sample(read_soft_labels(tmp_path / "soft.png"), scale=2)
    assert (hard_labels(sample)[:, :46] == 255).all()
    assert (hard_labels(sample)[:, 50:] == 1).all()
    taught = crop_soft(sample, Crop(np.eye(3), 96, 64), np.full((64, 96), 255, np.uint8))
    assert not taught[:, :23].any()
    assert (taught[:, 25:].argmax(2) == 1).all()


def test_soft_labels_give_way_to_class_ids() -> None:
    sample = _sample(np.full((32, 48, 4), (0.4, 0.2, 0.2, 0.2), np.float32), scale=2)
    labels = np.full((64, 96), 255, np.uint8)
    labels[:32] = 1
    soft = crop_soft(sample, Crop(np.eye(3), 96, 64), labels)
    assert not soft[:16].any()
    assert soft[17:].all()
