# SPDX-License-Identifier: Apache-2.0
"""The common corruptions: shape, strength, and what each does to an image that is easy to reckon with."""

from __future__ import annotations

import numpy as np
import pytest

from perception.evaluation.robustness.corruptions import CORRUPTIONS, corrupt
from perception.evaluation.robustness.corruptions_blur import smear, zoom
from perception.evaluation.robustness.corruptions_weather import plasma


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


def test_blurs_keep_a_flat_image():
    flat = np.full((48, 80, 3), 77, np.uint8)
    for name in ("defocus_blur", "glass_blur", "motion_blur", "zoom_blur", "elastic_transform", "pixelate"):
        np.testing.assert_allclose(corrupt(flat, name, 4, noise())[12:-12, 12:-12], 77, atol=1)


def test_a_smear_runs_one_way():
    dot = np.zeros((31, 31), np.float32)
    dot[15, 15] = 1
    streak = smear(dot, 3, 2.0, 0.0)
    assert streak.sum() == pytest.approx(1, abs=1e-5)
    assert (np.flatnonzero(streak[15] > 1e-6) <= 15).all()
    np.testing.assert_allclose(streak[:15], 0, atol=1e-6)


def test_a_zoom_keeps_the_centre():
    image = np.zeros((21, 31), np.float32)
    image[10, 15] = 1
    assert zoom(image, 2.0)[10, 15] == pytest.approx(1)


def test_plasma_is_a_square_of_heights():
    height = plasma(33, 2.0, noise())
    assert height.shape == (64, 64)
    assert (height.min(), height.max()) == (0, 1)
    assert np.abs(np.diff(height)).mean() < 0.2  # neighbours are alike
