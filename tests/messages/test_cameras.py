# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perception.errors import MessageError
from perception.messages.cameras import is_rectified_topic, read_view
from perception.sensors.registration import same_shape

WHOLE = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
K = np.array([959.8, 0, 696.0, 0, 956.9, 224.2, 0, 0, 1])
D = np.array([-0.369, 0.197, 0.00135, 0.00057, -0.0677])
P = np.array([721.5, 0, 609.6, 0, 0, 721.5, 172.9, 0, 0, 0, 1, 0])


def info(**changes: Any) -> SimpleNamespace:
    """KITTI's left colour camera, not rectified, with these changes."""
    fields: dict[str, Any] = {"header": SimpleNamespace(frame_id="left"), "roi": WHOLE, "width": 1392, "height": 512}
    fields |= {"k": K, "d": D, "r": np.eye(3).ravel(), "p": P, "distortion_model": "plumb_bob"}
    return SimpleNamespace(**{**fields, **changes})


def k_of(p: np.ndarray) -> np.ndarray:
    return p.reshape(3, 4)[:, :3].ravel()


def test_a_raw_image_is_one_whose_camera_info_has_distortion() -> None:
    view = read_view(info())
    assert view.lens is not None
    assert (view.lens.k, view.lens.d, view.unclear) == (tuple(K), tuple(D), None)
    np.testing.assert_array_equal(view.model.intrinsics.ravel(), k_of(P))
    assert view.raw_lens("/camera/image_raw") is view.lens
    assert read_view(info(d=np.zeros(5))).lens is None
    assert read_view(info(d=np.zeros(0), distortion_model="")).lens is None


@pytest.mark.parametrize(
    ("topic", "said", "raw"),
    [
        ("/camera/image_raw", "auto", True),
        ("/camera/image_rect_color", "auto", False),
        ("/camera/image_rect/compressed", "auto", False),
        ("/camera/depth/image_rect_raw", "auto", False),
        ("/camera/rectified/image", "auto", False),
        ("/direct/image", "auto", True),
        ("/camera/unrectified/image", "auto", True),
        ("/camera/image_raw", "yes", False),
        ("/camera/image_rect_color", "no", True),
    ],
)
def test_the_topic_and_the_parameter_say_what_camera_info_does_not(topic: str, said: str, raw: bool) -> None:
    assert (read_view(info()).raw_lens(topic, said) is not None) == raw
    assert is_rectified_topic("/image_rect")


def test_distortion_with_p_equal_to_k_is_unclear() -> None:
    view = read_view(info(k=k_of(P)))
    assert view.lens is not None
    assert view.unclear is not None
    assert view.unclear.startswith("d: has distortion although p equals k")
    turned = read_view(info(k=k_of(P), r=np.array([1, 0, 0, 0, 0.9998, 0.02, 0, -0.02, 0.9998])))
    assert turned.unclear is None


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"distortion_model": "ftheta"}, r"^distortion_model: 'ftheta' is unknown, known are plumb_bob, rational"),
        ({"d": np.array([0.1, 0.2])}, r"^d: 2 numbers, 'plumb_bob' has 4 or 5"),
        ({"distortion_model": "equidistant"}, r"^d: 5 numbers, 'equidistant' has 4"),
        ({"distortion_model": "", "d": D[:4]}, r"^d: 4 numbers, '' has 5 or 8"),
        ({"r": np.diag([1, 1, -1]).ravel()}, r"^r: no rotation: its determinant is -1"),
        ({"p": np.where(np.arange(12) == 3, np.nan, P)}, r"^p: number 4 of 12 is nan"),
        ({"k": np.where(np.arange(9) == 4, np.inf, K)}, r"^k: number 5 of 9 is inf"),
        ({"p": P * np.where(np.arange(12) == 6, 4, 1)}, r"^p: principal point 609.6, 691.6 lies outside .* 1392×512"),
        (
            {"width": 2784, "height": 912},
            r"^k: principal point 696, 224.2 belongs to images of 1392×456, but .*2784×912",
        ),
        ({"width": 600, "height": 200}, r"^p: principal point 609.6, 172.9 lies outside the image of 600×200"),
    ],
)
def test_what_is_off_is_named_with_its_number(changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        read_view(info(**changes))


def test_points_are_projected_by_the_whole_of_p() -> None:
    """REP-104: a point 10 m ahead of the left camera, of which the right one is 0.5372 m to the right."""
    left = np.array([721.5, 0, 609.6, -387.6, 0, 721.5, 172.9, 0, 0, 0, 1, 0])
    view = read_view(info(p=left))
    seen = view.model.intrinsics @ (view.from_frame @ [0.0, 0.0, 10.0, 1.0])[:3]
    assert seen[0] / seen[2] == pytest.approx(609.6 - 38.76)
    assert view.note is None


@pytest.mark.parametrize("frame_id", ["camera_infra2_optical_frame", "stereo/right", "right_camera_optical_frame"])
def test_a_right_camera_in_its_own_frame_has_its_baseline_in_tf(frame_id: str) -> None:
    left = np.array([721.5, 0, 609.6, -387.6, 0, 721.5, 172.9, 0, 0, 0, 1, 0])
    view = read_view(info(p=left, header=SimpleNamespace(frame_id=frame_id)))
    assert view.offset == (0, 0, 0)
    assert view.note is not None
    assert f"baseline of 0.5372 m from the first camera of the pair, but frame_id '{frame_id}'" in view.note


def test_a_region_of_interest_moves_both_images() -> None:
    view = read_view(info(roi=SimpleNamespace(x_offset=200, y_offset=100, width=1000, height=400)))
    assert view.lens is not None
    assert (view.model.width, view.model.height, view.lens.width, view.lens.height) == (1000, 400, 1000, 400)
    np.testing.assert_allclose(np.reshape(view.lens.k, (3, 3))[:2, 2], [496.0, 124.2])
    np.testing.assert_allclose(view.model.intrinsics[:2, 2], [409.6, 72.9])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ((1392, 512), (696, 256), True),
        ((1241, 376), (620, 188), True),
        ((1280, 720), (640, 360), True),
        ((1920, 1088), (1920, 1080), False),
        ((1280, 720), (848, 480), False),
        ((1242, 375), (640, 512), False),
        ((640, 480), (480, 640), False),
    ],
)
def test_images_of_one_shape_are_binned_alike(one: tuple[int, int], other: tuple[int, int], same: bool) -> None:
    assert same_shape(one, other) == same_shape(other, one) == same
