# SPDX-License-Identifier: Apache-2.0
"""Which depth and infrared images are registered, how, and which are left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.assembly.registration import Anchor, Seen, register
from perception.errors import MessageError
from perception.frame import CameraModel
from perception.messages.cameras import CameraView
from perception.sensors.lens import Lens

CAMERA = CameraModel(np.array([[70.0, 0, 63.5], [0, 70.0, 23.5], [0, 0, 1]]), 128, 48, "left")
ANCHOR = Anchor((128, 48), ("left",), CameraView(CAMERA))
TURNED = np.diag([-1.0, 1, -1, 1])
"""A camera that looks the other way."""


def view(width: int, height: int, focal: float, frame: str = "left", middle: tuple[float, float] | None = None) -> Any:
    x, y = middle or (width / 2 - 0.5, height / 2 - 0.5)
    return CameraView(CameraModel(np.array([[focal, 0, x], [0, focal, y], [0, 0, 1]]), width, height, frame))


def lookup(frame: str, target: str) -> np.ndarray:
    mounts = {"beside": np.eye(4), "behind": TURNED}
    if frame not in mounts:
        raise MessageError(f"extrinsics: no TF from '{frame}' to '{target}'")
    return mounts[frame]


def registered(image: np.ndarray, frame: str = "left", own: Any = None, anchor: Anchor = ANCHOR) -> np.ndarray:
    sensor = "depth" if image.dtype == np.float32 else "infrared"
    seen = Seen(sensor, image, frame, f"/{sensor}", f"/{sensor}/camera_info", own)
    return register(seen, anchor, lookup, 20.0)


def depth(width: int, height: int) -> np.ndarray:
    return np.tile(np.linspace(4, 12, width, dtype=np.float32), (height, 1))


@pytest.mark.parametrize(
    ("size", "own"),
    [
        ((128, 48), None),
        ((64, 24), None),
        ((64, 24), view(64, 24, 35.0)),
        ((64, 24), view(128, 48, 70.0)),
        ((64, 24), view(64, 24, 35.0, "")),
    ],
)
def test_what_agrees_in_shape_and_intrinsics_is_taken_as_it_is(size: tuple[int, int], own: Any) -> None:
    image = depth(*size)
    assert registered(image, own=own) is image
    assert registered(image, "", own) is image
    assert registered(image, "/left", own) is image


@pytest.mark.parametrize("frame", ["left", ""])
def test_another_k_in_the_same_place_is_reprojected(frame: str) -> None:
    """A depth camera of half the focal length: the camera sees the middle half of it."""
    found = registered(depth(128, 48), frame, view(128, 48, 35.0, frame))
    assert found.shape == (24, 64)
    np.testing.assert_allclose(found[12, [0, 31, 63]], [6.0, 7.97, 10.0], atol=0.1)
    warm = np.zeros((48, 128), np.uint8)
    warm[20:28, 60:68] = 200
    columns = np.flatnonzero(registered(warm, frame, view(128, 48, 35.0, frame))[12] > 100)
    assert (columns[0], columns[-1]) == (28, 35)


def test_a_region_of_interest_that_camera_info_tells_lands_where_it_was_cut() -> None:
    whole = depth(128, 48)
    cut = whole[10:40, 20:100].copy()
    found = registered(cut, own=view(80, 30, 70.0, middle=(43.5, 13.5)))
    assert found.shape == (48, 128)
    np.testing.assert_allclose(found[12:38, 22:98], whole[12:38, 22:98], rtol=1e-5)
    assert np.isnan(found[:, :18]).all()
    assert np.isnan(found[:8]).all()


LEFT_OUT = [
    (
        depth(80, 40),
        "left",
        None,
        r"^size: 80×40 is not the shape of the camera's 128×48, and nothing on /depth/camera",
    ),
    (np.ones((51, 64), np.uint16), "left", None, r"^size: 64×51 is not the shape of the camera's 128×48"),
    (
        depth(128, 48),
        "depth",
        None,
        r"^frame_id: 'depth' is not the camera's 'left', and nothing on /depth/camera_info",
    ),
    (depth(128, 48), "left", view(128, 48, 60.0, "depth"), r"^frame_id: images are in 'left', .* is of 'depth'"),
    (depth(128, 48), "left", view(85, 48, 60.0), r"^size: 85×48, but images are 128×48, of another shape"),
    (depth(128, 48), "depth", view(128, 48, 60.0, "depth"), r"^extrinsics: no TF from 'depth' to 'left'"),
    (depth(128, 48), "behind", view(128, 48, 60.0, "behind"), r"^view: nothing that the depth camera in 'behind' sees"),
    (
        np.full((48, 128), 9, np.uint8),
        "behind",
        view(128, 48, 60.0, "behind"),
        r"^view: nothing that the infrared camera in 'behind' sees is in the camera's image",
    ),
]


@pytest.mark.parametrize(("image", "frame", "own", "reason"), LEFT_OUT)
def test_what_does_not_say_where_it_looks_is_left_out(image: np.ndarray, frame: str, own: Any, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        registered(image, frame, own)


def test_a_thermal_camera_that_looks_aside_shows_nothing_of_what_is_behind_it() -> None:
    """Rotated by 60°, with a wide view: without a check, the part of the camera's image behind it would be mirrored."""
    angle = np.radians(80)
    turn = np.eye(4)
    turn[:3, :3] = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    anchor = Anchor((256, 48), ("left",), view(256, 48, 70.0))
    seen = Seen(
        "infrared", np.full((48, 512), 9, np.uint8), "aside", "/infrared", "/info", view(512, 48, 70.0, "aside")
    )
    found = register(seen, anchor, lambda frame, target: turn, 20.0)
    # Straight ahead of the camera is 80° aside of it; 10° further left is behind.
    assert not found[:, : 128 - round(70 * np.tan(np.radians(10))) - 2].any()
    assert found[24, 200:].all()


def test_without_own_camera_info_an_image_goes_through_the_cameras_lens() -> None:
    lens = Lens(
        (70.0, 0, 63.5, 0, 70.0, 23.5, 0, 0, 1), (-0.3, 0.1, 0, 0, 0), (1.0, 0, 0, 0, 1, 0, 0, 0, 1),
        (70.0, 0, 63.5, 0, 70.0, 23.5, 0, 0, 1), 128, 48,
    )  # fmt: skip
    anchor = Anchor((128, 48), ("left",), CameraView(CAMERA, lens=lens), lens)
    image = depth(128, 48)
    np.testing.assert_array_equal(registered(image, anchor=anchor), lens.rectify_depth(image))
    own = CameraView(CAMERA, lens=lens)
    np.testing.assert_array_equal(registered(image, own=own, anchor=anchor), lens.rectify_depth(image))


def test_without_the_cameras_calibration_only_what_looks_alike_is_taken() -> None:
    anchor = Anchor((128, 48), ("left",))
    image = depth(64, 24)
    assert registered(image, anchor=anchor) is image
    with pytest.raises(
        MessageError, match=r"^camera: the depth image, 64×24 in 'beside', cannot be registered: the camera"
    ):
        registered(image, "beside", view(64, 24, 35.0, "beside"), anchor)
