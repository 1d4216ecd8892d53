# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.classes import ROAD, UNLABELLED
from perception.viewing.pictures import SURROUNDINGS, jpeg, kept_rows, thermal


@pytest.mark.parametrize("shape", [(40, 60), (40, 60, 3)])
def test_jpegs_have_the_colours_of_the_image(shape: tuple[int, ...]) -> None:
    image = np.full(shape, 90 if len(shape) == 2 else [200, 90, 30], np.uint8)
    again = cv2.imdecode(np.frombuffer(jpeg(image), np.uint8), cv2.IMREAD_COLOR_RGB if len(shape) == 3 else -1)
    assert again.shape == shape
    assert np.abs(again.astype(int) - image).mean() < 3


def test_thermal_images_of_16_bits_are_stretched_over_the_scene() -> None:
    grey = thermal(np.tile(np.linspace(21_000, 24_000, 160).astype(np.uint16), (48, 1)))
    assert (grey.shape, grey.dtype) == ((48, 160), np.uint8)
    assert grey[24, 2] < 20
    assert grey[24, -2] > 235


def test_points_with_a_class_are_kept_and_some_of_the_others() -> None:
    labels = np.where(np.arange(100_000) % 10 == 0, ROAD, UNLABELLED).astype(np.uint8)
    rows = kept_rows(labels)
    assert np.isin(np.flatnonzero(labels == ROAD), rows).all()
    assert 10_000 + SURROUNDINGS // 2 < len(rows) <= 10_000 + SURROUNDINGS
    assert (np.diff(rows) > 0).all()
    few = np.full(100, UNLABELLED, np.uint8)
    assert kept_rows(few).tolist() == [*range(100)]
    assert kept_rows(few[:0]).tolist() == []
