# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

from perception.evaluation.robustness.corruptions import corrupt
from perception.evaluation.robustness.corruptions_blur import defocus_blur, smear, zoom


def noise(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


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


def test_a_defocused_point_becomes_a_disk():
    dot = np.zeros((31, 31), np.float32)
    dot[15, 15] = 1
    disk = defocus_blur(dot, 0, noise())
    assert disk.sum() == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(disk, disk.T, atol=1e-7)
    assert disk[15, 18] > 1e-3  # its radius is 3
    assert disk[15, 20] == pytest.approx(0, abs=1e-6)
    assert disk[18, 18] == pytest.approx(0, abs=1e-6)
