# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perception.sensors.thermal import infrared_channels, unmeasured, white_hot


def scene(seed: int = 0) -> NDArray[np.float32]:
    """(96, 128) a street in °C: cold sky, cool road, a warm person, noise."""
    rng = np.random.default_rng(seed)
    image = np.full((96, 128), 8.0, np.float32)
    image[:40] = -5
    image[50:80, 60:70] = 30
    return image + rng.normal(0, 0.3, image.shape).astype(np.float32)


def as_counts(celsius: NDArray[np.float32], per_degree: float, offset: float) -> NDArray[np.uint16]:
    return np.clip(celsius * per_degree + offset, 1, 65535).astype(np.uint16)


def test_a_narrow_view_registered_into_a_wide_image_keeps_its_contrast() -> None:
    """A 640×512 camera near 7,600 counts in a 1242×375 image: zeros around it are not cold."""
    inside = as_counts(scene(), 8, 7600)
    wide = np.zeros((192, 512), np.uint16)
    wide[40:136, 200:328] = inside
    channels = infrared_channels(wide, 512, 192)
    view = np.s_[44:132, 204:324]
    intensity, _, valid = (channel[view] for channel in channels)
    assert valid.all()
    assert not channels[:, :, :190].any()
    assert intensity[4:30].mean() < 30  # the sky
    assert intensity[50:70, 58:64].mean() > 220  # the person
    assert 80 < intensity[40:46].mean() < 160  # the road


@given(st.floats(0.4, 2.5), st.floats(0.3, 1.0), st.integers(0, 60))
@settings(max_examples=30, deadline=None)
def test_gain_and_gamma_leave_the_rank_as_it_is(gamma: float, gain: float, offset: int) -> None:
    celsius = np.clip((scene() + 10) / 45, 0, 1)
    fine = infrared_channels((celsius * 60000 + 500).astype(np.uint16), 128, 96)
    coarse = infrared_channels((7 + offset + celsius**gamma * gain * (240 - offset)).astype(np.uint8), 128, 96)
    assert np.abs(fine[1, 55:75, 62:68].astype(int) - coarse[1, 55:75, 62:68]).mean() < 12
    assert (coarse[1, 55:75, 62:68] > 230).all()


def test_8_and_16_bit_of_the_same_scene_are_alike() -> None:
    celsius = scene()
    by_counts = infrared_channels(as_counts(celsius, 100, 27315), 128, 96)
    by_bytes = infrared_channels(np.clip(celsius * 4 + 60, 0, 255).astype(np.uint8), 128, 96)
    assert np.abs(by_counts[0].astype(int) - by_bytes[0]).mean() < 6


def test_a_hot_engine_does_not_hide_a_person() -> None:
    celsius = scene()
    celsius[60:96, 0:50] = 90  # 15 % of the picture
    intensity, rank, _ = infrared_channels(as_counts(celsius, 100, 27315), 128, 96)
    person, road = np.s_[52:58, 62:68], np.s_[84:94, 80:120]
    assert rank[person].mean() - rank[road].mean() > 60
    assert intensity[person].mean() - intensity[road].mean() < 70  # which is why there is a rank


def test_a_scene_of_one_temperature_is_not_amplified_noise() -> None:
    rng = np.random.default_rng(0)
    flat16 = np.full((64, 64), 20000, np.uint16) + rng.integers(0, 4, (64, 64), np.uint16)
    flat8 = np.full((64, 64), 90, np.uint8) + rng.integers(0, 3, (64, 64), np.uint8)
    for flat in (flat16, flat8):
        channels = infrared_channels(flat, 64, 64)
        assert channels[:2].max() < 40
        assert channels[2].all()


def test_black_hot_images_come_out_as_white_hot_ones() -> None:
    grey = np.clip(scene() * 4 + 60, 7, 255).astype(np.uint8)
    usual = infrared_channels(grey, 128, 96)
    turned = infrared_channels(white_hot(255 - grey), 128, 96)
    assert np.abs(usual[0].astype(int) - turned[0]).max() <= 3
    assert np.abs(usual[1].astype(int) - turned[1]).mean() < 4


def test_borders_are_told_from_cold_things() -> None:
    image = np.full((100, 100), 120, np.uint8)
    image[:, :10] = 3  # a rim, as JPEG leaves it
    image[40:60, 40:60] = 0  # cold, and inside
    image[99, 99] = 0  # a dark pixel in the corner
    filled = unmeasured(image)
    assert filled[:, :10].all()
    assert not filled[:, 12:].any()


def test_nothing_measured_is_nothing_said() -> None:
    assert not infrared_channels(np.zeros((40, 60), np.uint16), 60, 40).any()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_every_size_and_type_gives_three_planes(dtype: type) -> None:
    image: np.ndarray = np.random.default_rng(0).integers(0, 255, (37, 53)).astype(dtype)
    assert infrared_channels(image, 96, 64).shape == (3, 64, 96)


def test_a_pixel_warmer_than_every_fourth_that_the_levels_are_told_from_is_the_warmest() -> None:
    counts = np.tile(np.arange(7000, 7128, dtype=np.uint16), (96, 1))
    counts[51, 61], counts[53, 63] = 9000, 40
    intensity, rank, valid = infrared_channels(counts, 128, 96)
    assert (intensity[51, 61], rank[51, 61], intensity[53, 63], rank[53, 63]) == (255, 255, 0, 0)
    assert (intensity[0, 64], rank[0, 64], valid.min()) == (129, 128, 255)
