# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.errors import FrameError
from perception.frame import MODALITIES, CameraModel, Frame
from perception.ground import Ground
from perception.sensors.channels import HEIGHT_RANGE
from perception.sensors.encode import MAX_EXCESS, MAX_PIXELS, STRIDE, encode, for_sensors, network_size


def test_kitti_images_keep_their_resolution() -> None:
    assert network_size(1242, 375) == (1248, 384)


def test_small_images_are_enlarged_but_not_beyond_twice() -> None:
    assert network_size(320, 227) == (640, 448)
    assert network_size(64, 64) == (128, 128)


@pytest.mark.parametrize(("size", "wanted"), [((2, 1_000_000), (32, 14976)), ((20_000, 100), (7488, 64))])
def test_a_strip_stays_in_the_budget(size: tuple[int, int], wanted: tuple[int, int]) -> None:
    assert network_size(*size) == wanted


@given(st.integers(1, 2_000_000), st.integers(1, 8000))
def test_sizes_are_multiples_of_the_stride_and_bounded(width: int, height: int) -> None:
    w, h = network_size(width, height)
    assert w % STRIDE == h % STRIDE == 0
    assert w >= STRIDE
    assert h >= STRIDE
    assert w * h <= MAX_EXCESS * MAX_PIXELS
    assert network_size(height, width) == (h, w)


def test_a_size_off_the_stride_is_refused() -> None:
    with pytest.raises(FrameError, match="multiples of 32"):
        encode(Frame(stamp_ns=0, rgb=np.zeros((40, 80, 3), np.uint8)), 80, 40)


def test_what_is_absent_is_zero_and_said_to_be_absent() -> None:
    out = encode(Frame(stamp_ns=0, infrared=np.full((40, 80), 90, np.uint8)), 96, 64)
    assert out.present.tolist() == [0, 0, 1, 0]
    assert out.rgb.shape == (64, 96, 3)
    assert not out.rgb.any()
    assert out.aux.shape == (32, 48, 10)
    assert (out.aux[..., 5] == 255).all()
    assert not np.delete(out.aux, [3, 4, 5], axis=2).any()


def test_every_modality_lands_in_its_channels() -> None:
    camera = CameraModel(np.array([[70.0, 0, 40], [0, 70, 20], [0, 0, 1]]), 80, 40)
    frame = Frame(
        stamp_ns=0,
        rgb=np.full((40, 80, 3), 200, np.uint8),
        depth=np.full((20, 40), 10, np.float32),
        infrared=np.full((40, 80), 77, np.uint8),
        points=np.array([[10, 0, 0, 1]], np.float32),
        camera=camera,
        lidar_to_camera=np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]),
    )
    out = encode(frame, 96, 64)
    assert out.present.tolist() == [1, 1, 1, 1]
    assert (out.rgb == 200).all()
    assert (out.aux[..., 2] == 255).all()
    assert (out.aux[..., 5] == 255).all()
    assert np.count_nonzero(out.aux[..., 9]) == 1


def street(ground: Ground, camera: CameraModel) -> tuple[np.ndarray, np.ndarray]:
    """(N, 4) a sweep of a flat road, whose LiDAR sits at the camera, and (H, W) its depth."""
    v, u = np.mgrid[0 : camera.height, 0 : camera.width]
    rays = np.stack([u, v, np.ones_like(u)], -1) @ np.linalg.inv(camera.intrinsics).T
    with np.errstate(divide="ignore"):
        depth = -ground.height / (rays @ ground.up)
    seen = (depth > 0) & (depth < 40)
    optical = rays[seen] * depth[seen][:, None]
    sweep = np.concatenate([optical[:, [2]], -optical[:, [0]], -optical[:, [1]], np.full((seen.sum(), 1), 0.3)], 1)
    return sweep.astype(np.float32), np.where(seen, depth, np.nan).astype(np.float32)


RIGS = {
    "car": Ground.mounted(1.4, np.radians(1)),
    "van": Ground.mounted(1.9, np.radians(4)),
    "truck": Ground.mounted(2.6, np.radians(6), np.radians(-2)),
    "delivery robot": Ground.mounted(0.5, np.radians(-6), np.radians(3)),
    "KITTI": Ground.mounted(1.65),
    "Cityscapes": Ground.mounted(1.22, np.radians(2.2)),
}


@pytest.mark.parametrize("rig", RIGS)
def test_the_road_is_level_and_at_zero_from_every_vehicle(rig: str) -> None:
    camera = CameraModel(np.array([[350.0, 0, 319.5], [0, 350, 95.5], [0, 0, 1]]), 640, 192)
    points, depth = street(RIGS[rig], camera)
    to_camera = np.array([[0, -1, 0, 0.0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]])
    out = encode(Frame(0, depth=depth, points=points, camera=camera, lidar_to_camera=to_camera), 640, 192)
    zero = 1 + round(-HEIGHT_RANGE[0] / (HEIGHT_RANGE[1] - HEIGHT_RANGE[0]) * 254)
    for height, valid in ((1, 2), (7, 9)):
        measured = out.aux[..., height][out.aux[..., valid] > 0].astype(int)
        assert len(measured) > 1000
        assert np.abs(measured - zero).max() <= 3  # 7 cm, up to 40 m away


def test_a_ground_that_is_hidden_comes_from_the_mounting_or_leaves_the_heights_out() -> None:
    camera = CameraModel(np.array([[350.0, 0, 319.5], [0, 350, 95.5], [0, 0, 1]]), 640, 192)
    wall = np.full((192, 640), 5, np.float32)
    alone = encode(Frame(0, depth=wall, camera=camera), 640, 192)
    assert not alone.aux[..., 1].any()
    assert alone.aux[..., [0, 2]].all()
    told = encode(Frame(0, depth=wall, camera=camera, ground=Ground.mounted(1.65)), 640, 192)
    assert told.aux[..., 1].all()


def test_a_network_of_the_camera_alone_gets_no_other_channels() -> None:
    frame = Frame(0, np.full((64, 96, 3), 7, np.uint8), depth=np.ones((64, 96), np.float32))
    alone, whole = encode(frame, 96, 64, sensors=("rgb",)), encode(frame, 96, 64)
    narrowed = for_sensors(whole, ("rgb",))
    for made in (alone, narrowed):
        assert (made.aux.shape, made.present.tolist()) == ((32, 48, 0), [1.0])
        np.testing.assert_array_equal(made.rgb, whole.rgb)
    assert for_sensors(whole, MODALITIES) is whole
    assert for_sensors(alone, ("rgb",)).present.tolist() == [1.0]
