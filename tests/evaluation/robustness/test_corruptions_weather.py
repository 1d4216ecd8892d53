# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.evaluation.robustness.corruptions_weather import brightness, fog, plasma


def noise(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_plasma_is_a_square_of_heights():
    height = plasma(33, 2.0, noise())
    assert height.shape == (64, 64)
    assert (height.min(), height.max()) == (0, 1)
    assert np.abs(np.diff(height)).mean() < 0.2  # neighbours are alike


def test_brightness_raises_the_value_and_keeps_the_hue():
    image = np.full((2, 2, 3), (0.4, 0.2, 0.1), np.float32)
    changed = brightness(image, 1, noise())
    np.testing.assert_allclose(changed[0, 0], [0.6, 0.3, 0.15], atol=1e-4)  # 0.4 + 0.2, the others with it
    np.testing.assert_allclose(brightness(np.full((2, 2, 3), 0.9, np.float32), 4, noise()), 1, atol=1e-5)


def test_fog_lies_between_the_image_and_the_haze():
    black = np.zeros((20, 30, 3), np.float32)
    black[0, 0] = 1.0
    changed = fog(black, 0, noise())
    assert changed.shape == (20, 30, 3)
    assert changed.min() >= 0
    assert changed.max() <= 1 + 1e-6  # of the brightest that there was
    assert changed[5:].mean() > 0.05
