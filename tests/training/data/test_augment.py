# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.frame import CameraModel, Frame
from perception.sensors import encode, project
from perception.training.data.augment import (
    Subsets,
    drop_modalities,
    photometric,
    random_crop,
    rare_pixel,
)

CAMERA = CameraModel(np.array([[100.0, 0, 80], [0, 100, 40], [0, 0, 1]]), 160, 80)
TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1))
def test_points_land_where_the_crop_puts_their_pixels(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = np.concatenate([rng.uniform((5, -6, -2), (40, 6, 2), (100, 3)), rng.random((100, 1))], 1).astype(
        np.float32
    )
    frame = Frame(stamp_ns=0, points=points, camera=CAMERA, lidar_to_camera=TO_CAMERA)
    crop = random_crop(frame.size, (64, 96), (0.5, 2.0), rng)
    before = project(points, TO_CAMERA, CAMERA)
    seen = crop.frame(frame)
    after = project(seen.points, seen.lidar_to_camera, seen.camera)
    moved = np.c_[before.uv, np.ones(len(before.uv))] @ crop.matrix.T
    for row, uv in zip(after.rows, after.uv, strict=True):
        if row in before.rows:
            np.testing.assert_allclose(uv, moved[before.rows == row][0, :2], atol=0.02)


def test_a_square_in_the_image_stays_on_its_labels_and_its_points() -> None:
    rng = np.random.default_rng(3)
    rgb = np.zeros((80, 160, 3), np.uint8)
    rgb[20:60, 60:120] = 255
    labels = (rgb[..., 0] > 0).astype(np.uint8)
    v, u = np.mgrid[20:60, 60:120]
    points = np.stack([np.full(u.shape, 10.0), -(u - 80) / 10, -(v - 40) / 10, np.ones(u.shape)], -1)
    frame = Frame(0, rgb, points=points.reshape(-1, 4).astype(np.float32), camera=CAMERA, lidar_to_camera=TO_CAMERA)
    for _ in range(20):
        crop = random_crop(frame.size, (64, 96), (0.7, 1.5), rng)
        seen, truth = crop.frame(frame), crop.image(labels, nearest=True, border=255)
        out = encode(seen, 96, 64)
        hit = np.argwhere(out.aux[..., 9] > 0) * 2
        assert (out.rgb[..., 0] > 127).sum() == pytest.approx((truth == 1).sum(), rel=0.1, abs=30)
        # The points' grid is half as fine: only pixels on the square's rim may be beside it.
        assert len(hit) == 0 or np.mean(truth[tuple(hit.T)] == 1) > 0.85


@given(st.integers(0, 2**32 - 1), st.lists(st.booleans(), min_size=4, max_size=4).filter(any))
def test_modality_dropout_keeps_something_that_is_there(seed: int, present: list[bool]) -> None:
    kept = Subsets().draw(np.array(present, np.float32), np.random.default_rng(seed))
    assert kept.any()
    assert not (kept & ~np.array(present)).any()


def test_every_sensor_is_often_alone() -> None:
    rng = np.random.default_rng(0)
    kept = np.array([Subsets().draw(np.ones(4, np.float32), rng) for _ in range(2000)])
    alone = kept[kept.sum(1) == 1].sum(0) / len(kept)
    assert (alone > 0.03).all()
    assert 0.55 < kept.all(1).mean() < 0.7


def test_a_recipe_may_keep_the_sensors_together_more_often() -> None:
    rng, subsets = np.random.default_rng(0), Subsets(whole=0.9, alone=0.1)
    kept = np.array([subsets.draw(np.ones(4, np.float32), rng) for _ in range(500)])
    assert set(kept.sum(1)) == {1, 4}
    assert 0.85 < kept.all(1).mean() < 0.95


def test_a_dropped_modality_leaves_nothing_behind() -> None:
    frame = Frame(0, np.full((64, 96, 3), 9, np.uint8), infrared=np.full((64, 96), 70, np.uint8))
    out = drop_modalities(encode(frame, 96, 64), np.array([False, True, True, True]))
    assert out.present.tolist() == [0, 0, 1, 0]
    assert not out.rgb.any()
    assert (out.aux[..., 5] == 255).all()


def test_photometric_changes_keep_shape_and_dtype() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    for seed in range(20):
        out = photometric(rgb, np.random.default_rng(seed))
        assert out.shape == rgb.shape
        assert out.dtype == np.uint8


@given(st.integers(0, 2**32 - 1))
def test_a_focused_crop_holds_its_pixel(seed: int) -> None:
    rng = np.random.default_rng(seed)
    labels = np.zeros((80, 160), np.uint8)
    labels[40:52, 100:108] = 3
    labels[10:20, 10:30] = 2
    focus = rare_pixel(labels, rng)
    assert focus is not None
    assert labels[focus[1], focus[0]] == 3
    crop = random_crop((160, 80), (64, 96), (0.5, 2.0), rng, focus)
    u, v, _ = crop.matrix @ (*focus, 1)
    assert 0 <= u < 96
    assert 0 <= v < 64
    assert rare_pixel(np.ones((8, 8), np.uint8), rng) is None
