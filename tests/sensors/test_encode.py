# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.errors import FrameError
from perception.frame import CameraModel, Frame
from perception.sensors.encode import MAX_PIXELS, STRIDE, encode, network_size


def test_kitti_images_keep_their_resolution() -> None:
    assert network_size(1242, 375) == (1248, 384)


def test_small_images_are_enlarged_but_not_beyond_twice() -> None:
    assert network_size(320, 227) == (640, 448)
    assert network_size(64, 64) == (128, 128)


@given(st.integers(1, 8000), st.integers(1, 8000))
def test_sizes_are_multiples_of_the_stride_and_bounded(width: int, height: int) -> None:
    w, h = network_size(width, height)
    assert w % STRIDE == h % STRIDE == 0
    assert w >= STRIDE
    assert h >= STRIDE
    if 0.1 < width / height < 10:
        assert w * h <= 1.3 * MAX_PIXELS


def test_a_size_off_the_stride_is_refused() -> None:
    with pytest.raises(FrameError, match="multiples of 32"):
        encode(Frame(stamp_ns=0, rgb=np.zeros((40, 80, 3), np.uint8)), 80, 40)


def test_what_is_absent_is_zero_and_said_to_be_absent() -> None:
    out = encode(Frame(stamp_ns=0, infrared=np.full((40, 80), 9, np.uint8)), 96, 64)
    assert out.present.tolist() == [0, 0, 1, 0]
    assert out.rgb.shape == (64, 96, 3)
    assert not out.rgb.any()
    assert out.aux.shape == (32, 48, 8)
    assert (out.aux[..., 3] == 9).all()
    assert not np.delete(out.aux, 3, axis=2).any()


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
    assert (out.aux[..., 3] == 77).all()
    assert np.count_nonzero(out.aux[..., 7]) == 1
