# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest

from perception.training.data.weather import Weather, darkness, fog, jpeg, motion_blur


@pytest.fixture
def rgb() -> np.ndarray:
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 2)


@pytest.mark.parametrize("disturb", [fog, darkness, motion_blur, jpeg])
def test_keeps_form_and_follows_its_generator(disturb, rgb: np.ndarray) -> None:
    before = rgb.copy()
    for seed in range(10):
        out = disturb(rgb, np.random.default_rng(seed))
        assert (out.shape, out.dtype) == (rgb.shape, np.uint8)
        np.testing.assert_array_equal(out, disturb(rgb, np.random.default_rng(seed)))
    np.testing.assert_array_equal(rgb, before)


def test_does_what_it_says(rgb: np.ndarray) -> None:
    rng = np.random.default_rng(1)
    assert darkness(rgb, rng).mean() < 0.6 * rgb.mean()
    foggy = fog(rgb, rng).astype(float)
    assert foggy[:8].std() < 0.5 * rgb[:8].std()
    assert foggy[:8].std() < foggy[-8:].std()
    assert motion_blur(rgb, rng).std() < rgb.std()
    assert 0 < np.abs(jpeg(rgb, rng).astype(int) - rgb).mean() < 20


def test_what_is_never_met_draws_nothing(rgb: np.ndarray) -> None:
    rng = np.random.default_rng(2)
    assert Weather().apply(rgb, rng) is rgb
    assert rng.random() == np.random.default_rng(2).random()
    assert not np.array_equal(Weather(fog=1, darkness=1, motion_blur=1, jpeg=1).apply(rgb, rng), rgb)
