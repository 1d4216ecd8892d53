# SPDX-License-Identifier: Apache-2.0
"""The common corruptions: shape, strength, and what each does to an image that is easy to reckon with."""

from __future__ import annotations

import numpy as np
import pytest

from perception.evaluation.robustness.corruptions import CORRUPTIONS, corrupt


def picture() -> np.ndarray:
    """Stripes, a square and a ramp: something for every corruption to change."""
    image = np.zeros((48, 80, 3), np.uint8)
    image[:, ::8] = (200, 60, 30)
    image[10:30, 20:50] = (90, 160, 220)
    image[36:] = np.linspace(0, 255, 80, dtype=np.uint8)[None, :, None]
    return image


def noise(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_every_corruption_changes_the_image_the_same_way_each_time(name):
    image = picture()
    for severity in (1, 5):
        changed = corrupt(image, name, severity, noise())
        assert (changed.shape, changed.dtype) == (image.shape, np.uint8)
        assert (changed != image).mean() > 0.02
        np.testing.assert_array_equal(changed, corrupt(image, name, severity, noise()))
    np.testing.assert_array_equal(image, picture())


@pytest.mark.parametrize("name", [name for name in CORRUPTIONS if name != "snow"])
def test_more_severe_is_farther_from_the_image(name):
    def distance(severity: int) -> float:
        return float(np.abs(corrupt(picture(), name, severity, noise()).astype(float) - picture()).mean())

    assert distance(5) > distance(1)


def test_there_are_the_15_of_imagecorruptions():
    assert len(CORRUPTIONS) == 15
    assert next(iter(CORRUPTIONS)) == "gaussian_noise"


def test_noise_has_its_strength():
    grey = np.full((200, 200, 3), 128, np.uint8)
    gaussian = corrupt(grey, "gaussian_noise", 1, noise()).astype(float)
    assert gaussian.std() == pytest.approx(0.08 * 255, rel=0.05)
    impulse = corrupt(grey, "impulse_noise", 5, noise())
    assert (impulse == 0).mean() == pytest.approx(0.27 / 2, abs=0.01)
    assert (impulse == 255).mean() == pytest.approx(0.27 / 2, abs=0.01)


def test_contrast_keeps_the_mean():
    image = picture()
    changed = corrupt(image, "contrast", 3, noise())
    np.testing.assert_allclose(changed.mean((0, 1)), image.mean((0, 1)), atol=0.6)
    assert changed.std(axis=(0, 1)) == pytest.approx(0.2 * image.std(axis=(0, 1)), abs=1)
