# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.errors import MessageError
from perception.messages.bit_depth import BitDepth
from perception.messages.images import (
    compressed_fields,
    image_fields,
    png_fields,
    read_array,
    read_depth,
    read_infrared,
    read_rgb,
)


def image(array: np.ndarray, encoding: str, /, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**image_fields(array, encoding), **changes})


def gradient(height: int = 32, width: int = 48) -> np.ndarray:
    y, x = np.mgrid[:height, :width]
    return np.dstack([x * 255 // width, y * 255 // height, np.full_like(x, 90)]).astype(np.uint8)


def mosaic(rgb: np.ndarray, pattern: str) -> np.ndarray:
    """What a Bayer sensor of this pattern (first row's two letters, then the second's) sees of the image."""
    out = np.empty(rgb.shape[:2], np.uint8)
    for place, letter in enumerate(pattern):
        y, x = divmod(place, 2)
        out[y::2, x::2] = rgb[y::2, x::2, "rgb".index(letter)]
    return out


@given(
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    padding=st.integers(0, 5),
    encoding=st.sampled_from(["mono8", "mono16", "16UC1", "32FC1", "rgb8", "bgra8", "rgb16"]),
    big=st.booleans(),
    seed=st.integers(0, 2**31),
)
def test_read_array_honours_step_and_byte_order(
    height: int, width: int, padding: int, encoding: str, big: bool, seed: int
) -> None:
    dtype = {"16": np.uint16, "32": np.float32}.get("".join(filter(str.isdigit, encoding))[:2], np.uint8)
    channels = {"rgb8": 3, "rgb16": 3, "bgra8": 4}.get(encoding)
    shape = (height, width) if channels is None else (height, width, channels)
    wanted = np.random.default_rng(seed).integers(0, 255, shape).astype(dtype)
    rows = wanted.astype(wanted.dtype.newbyteorder(">" if big else "<")).reshape(height, -1).view(np.uint8)
    padded = np.hstack([rows, np.full((height, padding), 77, np.uint8)])
    message = image(wanted, encoding, step=padded.shape[1], data=padded.tobytes(), is_bigendian=int(big))
    got = read_array(message)
    assert got.dtype == wanted.dtype
    assert got.dtype.isnative
    np.testing.assert_array_equal(got, wanted)


def test_rgb8_is_a_view_of_the_message() -> None:
    message = image(gradient(), "rgb8")
    read_rgb(message)[0, 0, 0] = 123
    assert message.data[0] == 123


@pytest.mark.parametrize(
    ("encoding", "code"),
    [
        ("bgr8", cv2.COLOR_RGB2BGR),
        ("8UC3", cv2.COLOR_RGB2BGR),
        ("rgba8", cv2.COLOR_RGB2RGBA),
        ("bgra8", cv2.COLOR_RGB2BGRA),
    ],
)
def test_colour_orders(encoding: str, code: int) -> None:
    rgb = gradient()
    np.testing.assert_array_equal(read_rgb(image(cv2.cvtColor(rgb, code), encoding)), rgb)


def test_mono_becomes_grey() -> None:
    grey = gradient()[..., 0]
    np.testing.assert_array_equal(read_rgb(image(grey, "mono8")), np.dstack([grey] * 3))
    np.testing.assert_array_equal(read_rgb(image(grey.astype(np.uint16) << 8, "mono16")), np.dstack([grey] * 3))


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("bits", [8, 16])
def test_bayer_patterns_keep_the_colours(pattern: str, bits: int) -> None:
    rgb = gradient()
    raw = mosaic(rgb, pattern)
    if bits == 16:
        raw = raw.astype(np.uint16) << 8
    got = read_rgb(image(raw, f"bayer_{pattern}{bits}"))
    error = np.abs(got.astype(int) - rgb)[2:-2, 2:-2]
    assert error.max() <= 12


@pytest.mark.parametrize(
    ("encoding", "code"),
    [
        ("yuv422", cv2.COLOR_RGB2YUV_UYVY),
        ("uyvy", cv2.COLOR_RGB2YUV_UYVY),
        ("yuv422_yuy2", cv2.COLOR_RGB2YUV_YUY2),
        ("yuyv", cv2.COLOR_RGB2YUV_YUY2),
    ],
)
def test_yuv422_packings(encoding: str, code: int) -> None:
    rgb = cv2.resize(gradient()[::4, ::4], (48, 32))
    got = read_rgb(image(cv2.cvtColor(rgb, code), encoding))
    assert np.abs(got.astype(int) - rgb).max() <= 8


def test_depth_in_millimetres_and_metres() -> None:
    millimetres = np.array([[0, 1500], [65535, 1]], np.uint16)
    np.testing.assert_allclose(read_depth(image(millimetres, "16UC1")), [[np.nan, 1.5], [65.535, 0.001]], rtol=1e-6)
    metres = np.array([[0, -1], [np.inf, 2.5]], np.float32)
    np.testing.assert_array_equal(read_depth(image(metres, "32FC1")), np.array([[np.nan, np.nan], [np.nan, 2.5]], "f4"))


@pytest.mark.parametrize(("encoding", "order"), [("nv12", (1, 2)), ("nv21", (2, 1))])
def test_planar_yuv_with_padded_rows(encoding: str, order: tuple[int, int]) -> None:
    rgb = gradient()
    height, width = rgb.shape[:2]
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    brightness, colours = planes[:height], planes[height:].reshape(2, -1)
    mixed = np.stack([colours[each - 1] for each in order], 1).reshape(height // 2, width)
    rows = np.hstack([np.vstack([brightness, mixed]), np.full((height * 3 // 2, 7), 99, np.uint8)])
    message = SimpleNamespace(encoding=encoding, width=width, height=height, step=width + 7, data=rows.tobytes())
    assert np.abs(read_rgb(message).astype(int) - rgb).max() <= 8
    broken: dict[str, dict[str, Any]] = {"step": {"step": 3}, "data": {"data": b"12"}, "size": {"height": 31}}
    for field, changes in broken.items():
        with pytest.raises(MessageError, match=f"^{field}: "):
            read_rgb(SimpleNamespace(**{**vars(message), **changes}))


def test_depth_is_what_lies_between_nothing_and_infinity() -> None:
    least, most = np.nextafter(np.float32(0), np.float32(1)), np.finfo(np.float32).max
    rows = [[least, most, 1e-30, 3.0], [0.0, -0.0, -least, -2.0], [np.inf, -np.inf, np.nan, 1.0]]
    metres = np.array(rows, np.float32)
    expected = np.where((metres > 0) & (metres < np.inf), metres, np.float32(np.nan))
    np.testing.assert_array_equal(read_depth(image(metres, "32FC1")), expected)


def test_infrared_keeps_its_depth() -> None:
    raw = np.arange(12, dtype=np.uint16).reshape(3, 4) * 1000
    np.testing.assert_array_equal(read_infrared(image(raw, "16UC1")), raw)
    assert read_infrared(image(gradient(), "rgb8")).shape == (32, 48)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("encoding", ["mono16", "bayer_rggb16", "rgb16"])
def test_sixteen_bits_are_as_many_as_the_camera_uses(bits: int, encoding: str) -> None:
    """A grey ramp from black to the camera's white."""
    ramp = np.tile(np.linspace(0, (1 << bits) - 1, 48), (32, 1)).astype(np.uint16)
    array = np.dstack([ramp] * 3) if encoding == "rgb16" else ramp
    got = read_rgb(image(array, encoding))
    wanted = np.dstack([np.linspace(0, 255, 48).astype(int)[None].repeat(32, 0)] * 3)
    assert np.abs(got[2:-2, 2:-2].astype(int) - wanted[2:-2, 2:-2]).max() <= 6
    assert got.max() >= 250


def test_the_bit_depth_is_found_over_images_and_kept() -> None:
    depth, dark = BitDepth(), np.full((4, 4), 900, np.uint16)
    assert read_rgb(image(dark, "mono16"), depth)[0, 0, 0] == 900 >> 2
    assert depth.bits == 10
    read_rgb(image(np.full((4, 4), 4095, np.uint16), "mono16"), depth)
    assert depth.bits == 12
    assert read_rgb(image(dark, "mono16"), depth)[0, 0, 0] == 900 >> 4
    read_rgb(image(np.full((4, 4), 200, np.uint8), "mono8"), depth)
    assert depth.bits == 12


@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_a_compressed_mosaic_has_its_colours(pattern: str, kind: str) -> None:
    """As image_transport sends one: the mosaic as a grey image, and nothing after "compressed "."""
    rgb = gradient()
    options = [cv2.IMWRITE_JPEG_QUALITY, 100] if kind == "jpeg" else []
    data = cv2.imencode(f".{kind}", mosaic(rgb, pattern), options)[1].tobytes()
    got = read_rgb(SimpleNamespace(format=f"bayer_{pattern}8; {kind} compressed ", data=data))
    assert np.abs(got.astype(int) - rgb)[2:-2, 2:-2].max() <= 14


def test_a_compressed_mosaic_of_twelve_bits() -> None:
    rgb = gradient()
    data = cv2.imencode(".png", mosaic(rgb, "rggb").astype(np.uint16) << 4)[1].tobytes()
    got = read_rgb(SimpleNamespace(format="bayer_rggb16; png compressed ", data=data))
    assert np.abs(got.astype(int) - rgb)[2:-2, 2:-2].max() <= 12


def test_what_was_a_mosaic_and_was_packed_in_colour_stays_as_it_is() -> None:
    rgb = gradient()
    data = cv2.imencode(".png", rgb[..., ::-1])[1].tobytes()
    message = SimpleNamespace(format="bayer_rggb8; png compressed bgr8", data=data)
    np.testing.assert_array_equal(read_rgb(message), rgb)
    grey = SimpleNamespace(format="mono8; png compressed ", data=cv2.imencode(".png", rgb[..., 0])[1].tobytes())
    np.testing.assert_array_equal(read_rgb(grey), np.dstack([rgb[..., 0]] * 3))
    twelve = cv2.imencode(".png", rgb[..., 0].astype(np.uint16) << 4)[1].tobytes()
    message = SimpleNamespace(format="mono16; png compressed ", data=twelve)
    np.testing.assert_array_equal(read_rgb(message), np.dstack([rgb[..., 0]] * 3))


def test_an_unknown_mosaic_is_refused() -> None:
    data = cv2.imencode(".png", gradient()[..., 0])[1].tobytes()
    with pytest.raises(MessageError, match=r"^format: 'bayer_wxyz8; png compressed ' has an unknown mosaic"):
        read_rgb(SimpleNamespace(format="bayer_wxyz8; png compressed ", data=data))


@pytest.mark.parametrize("kind", ["jpeg", "png"])
def test_compressed(kind: str) -> None:
    rgb = gradient()
    got = read_rgb(SimpleNamespace(**compressed_fields(rgb, kind)))
    assert np.abs(got.astype(int) - rgb).max() <= (6 if kind == "jpeg" else 0)


BAD_IMAGES = [
    ({"encoding": "rgb9"}, "encoding"),
    ({"encoding": "32FC1"}, "encoding"),
    ({"step": 3}, "step"),
    ({"step": 0}, "step"),
    ({"data": b"123"}, "data"),
    ({"data": b""}, "data"),
    ({"width": 0}, "size"),
    ({"height": 0}, "size"),
    ({"width": 10**6, "height": 10**6}, "size"),
]


@pytest.mark.parametrize(("changes", "field"), BAD_IMAGES)
def test_broken_images_name_the_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(MessageError, match=f"^{field}: "):
        read_rgb(image(gradient(), "rgb8", **changes))


def test_odd_yuv_and_tiny_bayer_are_refused() -> None:
    with pytest.raises(MessageError, match=r"^width: "):
        read_rgb(image(np.zeros((4, 5, 2), np.uint8), "uyvy"))
    with pytest.raises(MessageError, match=r"^size: "):
        read_rgb(image(np.zeros((1, 5), np.uint8), "bayer_rggb8"))


def test_colour_is_no_depth_and_float_no_infrared() -> None:
    with pytest.raises(MessageError, match=r"^encoding: 'rgb8' is no depth"):
        read_depth(image(gradient(), "rgb8"))
    with pytest.raises(MessageError, match=r"^encoding: '32FC1' is no infrared"):
        read_infrared(image(np.ones((2, 2), np.float32), "32FC1"))


@pytest.mark.parametrize(
    ("data", "kind", "field"),
    [(b"", "jpeg", "data"), (b"no image", "jpeg", "data"), (b"x", "32FC1; compressedDepth png", "format")],
)
def test_broken_compressed_images(data: bytes, kind: str, field: str) -> None:
    with pytest.raises(MessageError, match=f"^{field}: "):
        read_rgb(SimpleNamespace(data=data, format=kind))


def test_writing_an_array_under_a_wrong_encoding_is_refused() -> None:
    with pytest.raises(MessageError, match="does not fit"):
        image_fields(gradient(), "mono8")


@pytest.mark.parametrize(
    "encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "mono8", "bayer_rggb8", "bayer_bggr8", "bayer_gbrg8", "bayer_grbg8"]
)
def test_as_cv_bridge_reads_it(encoding: str) -> None:
    """If a ROS 2 installation has cv_bridge: the same pixels, except how borders of a mosaic are filled in."""
    bridge = pytest.importorskip("cv_bridge").CvBridge()
    message = pytest.importorskip("sensor_msgs.msg").Image
    rgb = gradient()
    if encoding.startswith("bayer"):
        array = mosaic(rgb, encoding[len("bayer_") : -1])
    else:
        array = {"bgr8": rgb[:, :, ::-1], "mono8": rgb[:, :, 0]}.get(encoding, rgb)
        if encoding in ("rgba8", "bgra8"):
            opaque = np.full((*rgb.shape[:2], 1), 255, np.uint8)
            array = np.concatenate([rgb if encoding == "rgba8" else rgb[:, :, ::-1], opaque], axis=2)
    built = message(**image_fields(np.ascontiguousarray(array), encoding))
    ours, theirs = read_rgb(built), bridge.imgmsg_to_cv2(built, "rgb8")
    inside = slice(2, -2)
    np.testing.assert_array_equal(ours[inside, inside], theirs[inside, inside])


def test_masks_as_png_are_what_they_were_and_named_as_image_transport_names_them() -> None:
    labels = np.random.default_rng(0).choice([0, 1, 2, 3, 255], (37, 53)).astype(np.uint8)
    message = SimpleNamespace(**png_fields(labels))
    assert message.format == "mono8; png compressed "
    np.testing.assert_array_equal(read_infrared(message), labels)
    assert len(png_fields(np.zeros((375, 1242), np.uint8))["data"]) < 5000
