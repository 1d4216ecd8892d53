# SPDX-License-Identifier: Apache-2.0
"""Sensors without information, and sensors with little information, which must stay."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.datasets.io.files import read_mono, read_rgb
from perception.evaluation.robustness.corruptions import CORRUPTIONS, corrupt
from perception.frame import CameraModel, Frame
from perception.sensors.presence import FrozenWatch, fingerprint, uninformative, without_frozen
from perception.simulation.drive import SimulatedDrive

HEIGHT, WIDTH = 375, 1242
CAMERA = CameraModel(np.array([[720.0, 0, 621], [0, 720, 187], [0, 0, 1]]), WIDTH, HEIGHT)
PLACED: dict[str, Any] = {"camera": CAMERA, "lidar_to_camera": np.eye(4)}  # so that z is forward
RNG = np.random.default_rng(3)
SCENE = RNG.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
AHEAD = RNG.uniform((-5, -1, 4, 0), (5, 1, 40, 1), (30_000, 4)).astype(np.float32)


def noisy(level: float, sigma: float, shape: tuple[int, ...], dtype: Any = np.uint8) -> Any:
    return np.clip(RNG.normal(level, sigma, shape), 0, np.iinfo(dtype).max).astype(dtype)


GREEN = "rgb is of one colour: 99.9 % of the pixels are within 10 of 255 (about 0, 135, 0)"
WARM = "infrared is of one value: 99.9 % of the pixels are within 8 counts (about 7600)"
RGB, GREY = (HEIGHT, WIDTH, 3), (512, 640)
BLACK_WITH_HOT_PIXELS = np.where(RNG.random((HEIGHT, WIDTH, 1)) < 0.0003, 255, np.zeros(RGB, np.uint8)).astype(np.uint8)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros(RGB, np.uint8), "rgb is black: 99.9 % of the pixels are below 16 of 255 (lens cap, exposure?)"),
        (noisy(4, 2, RGB), "rgb is black"),
        (BLACK_WITH_HOT_PIXELS, "rgb is black"),
        (np.full(RGB, 255, np.uint8), "rgb is white"),
        (np.full(RGB, (0, 135, 0), np.uint8), GREEN),
        (noisy(128, 1, RGB), "rgb is of one colour"),
        (np.zeros((1, 1, 3), np.uint8), "rgb is black"),
    ],
)
def test_a_camera_that_sees_nothing(image: Any, reason: str) -> None:
    assert uninformative(Frame(0, image))["rgb"].startswith(reason)


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros(GREY, np.uint8), "infrared is black"),
        (np.zeros(GREY, np.uint16), "infrared is black"),
        (noisy(1, 0.5, GREY, np.uint16), "infrared is black"),
        (np.full(GREY, 7600, np.uint16), WARM),
        (noisy(7600, 1, GREY, np.uint16), "infrared is of one value"),
        (np.full(GREY, 65535, np.uint16), "infrared is of one value"),
        (np.full(GREY, 128, np.uint8), "infrared is of one value"),
        (np.pad(np.full((200, 300), 7600, np.uint16), 80), "infrared is of one value"),
    ],
)
def test_an_infrared_camera_that_sees_nothing(image: Any, reason: str) -> None:
    assert uninformative(Frame(0, infrared=image))["infrared"].startswith(reason)


@pytest.mark.parametrize("value", [np.nan, 0.0, np.inf, -1.0])
def test_depth_without_any_value(value: float) -> None:
    empty = np.full((HEIGHT, WIDTH), value, np.float32)
    assert uninformative(Frame(0, depth=empty))["depth"].startswith("depth is empty")


def test_depth_of_one_value() -> None:
    """65.535 m is the value of 16 bits of millimetres if there is no measurement."""
    said = uninformative(Frame(0, depth=np.full((HEIGHT, WIDTH), 65.535, np.float32)))
    assert said["depth"] == "depth is of one value: 99.9 % of the pixels that have any say 65.535 m"


@pytest.mark.parametrize(
    ("points", "reason"),
    [
        (np.zeros((0, 4)), "lidar is empty: the sweep has no point"),
        (np.zeros((9000, 4)), "lidar measures nothing"),
        (np.full((9000, 4), np.nan), "lidar measures nothing"),
        (AHEAD * (1, 1, -1, 1), "lidar is out of view"),
    ],
)
def test_a_lidar_that_sees_nothing(points: Any, reason: str) -> None:
    said = uninformative(Frame(0, SCENE, points=points.astype(np.float32), **PLACED))
    assert list(said) == ["lidar"]
    assert said["lidar"].startswith(reason)


def test_little_is_not_nothing() -> None:
    """A lamp in a black night, a person in a room of one temperature, 16 beams as a depth image, one point in view."""
    night = np.zeros(RGB, np.uint8)
    night[200:230, 600:630] = 255
    person = noisy(7600, 1, GREY, np.uint16)
    person[300:340, 300:320] += 400
    sparse = np.full((HEIGHT, WIDTH), np.nan, np.float32)
    sparse[::100, ::3] = RNG.uniform(2, 60, sparse[::100, ::3].shape)
    behind = (AHEAD * (1, 1, -1, 1)).astype(np.float32)
    behind[12_345] = 0, 0, 10, 1
    assert uninformative(Frame(0, night, sparse, person, behind, **PLACED)) == {}
    behind[0] = np.nan
    assert uninformative(Frame(0, points=behind, **PLACED)) == {}


def test_real_nights_stay(real_data: Path) -> None:
    nights = sorted((real_data / "msrs_more" / "visible").glob("*N.jpg"))
    if not nights:
        pytest.skip("no night images")
    said = {
        path.name: uninformative(Frame(0, read_rgb(path), infrared=read_mono(path.parents[1] / "infrared" / path.name)))
        for path in nights
    }
    assert {name: reasons for name, reasons in said.items() if reasons} == {}
    worst = {name: corrupt(read_rgb(nights[0]), name, 5, np.random.default_rng(0)) for name in CORRUPTIONS}
    assert {name: uninformative(Frame(0, image)) for name, image in worst.items()} == {name: {} for name in worst}


@pytest.mark.parametrize("condition", ["fog", "night"])
def test_simulated_weather_stays(condition: str) -> None:
    frame = SimulatedDrive(4, condition, frames=1, scale=0.15)[0].frame
    assert frame.modalities == ("rgb", "depth", "infrared", "lidar")
    assert uninformative(frame) == {}


@pytest.mark.timed
def test_looking_takes_less_than_a_millisecond() -> None:
    """The time for all four sensors: 0.3 ms, and twice that where another process has the core's other thread."""
    depth = RNG.uniform(2, 60, (HEIGHT, WIDTH)).astype(np.float32)
    heat = noisy(7600, 200, (HEIGHT, WIDTH), np.uint16)
    frame = Frame(0, SCENE, depth, heat, AHEAD, **PLACED)
    seconds = []
    for _ in range(50):
        began = time.perf_counter()
        uninformative(frame)
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 1e-3


def test_frozen_after_three_repeats_under_new_stamps() -> None:
    watch = FrozenWatch()
    said = [watch.see("rgb", stamp, SCENE) for stamp in (0, 100_000_000, 200_000_000, 300_000_000)]
    assert said[:3] == [None, None, None]
    assert said[3] == "rgb is frozen: the same content comes again and again under new stamps (driver, cable?)"
    assert watch.see("rgb", 400_000_000, SCENE ^ 1) is None


def test_one_message_seen_again_is_no_repeat() -> None:
    """A slow LiDAR's sweep is used with several images."""
    watch = FrozenWatch()
    assert [watch.see("lidar", 0, AHEAD) for _ in range(10)] == [None] * 10


def test_a_slow_sensor_in_a_fast_stream_is_not_frozen() -> None:
    """9 Hz of content at 60 Hz: each image comes seven times, within 0.1 s."""
    watch = FrozenWatch()
    images = [SCENE ^ (1 + number // 7) for number in range(35)]
    assert not any(watch.see("infrared", round(number * 1e9 / 60), image) for number, image in enumerate(images))


def test_never_frozen_where_nobody_asks() -> None:
    watch = FrozenWatch(repeats=0)
    assert not any(watch.see("rgb", number * 100_000_000, SCENE) for number in range(20))


def test_fingerprints_tell_shapes_and_contents_apart() -> None:
    contents = [SCENE, SCENE[:, ::-1], SCENE[..., 0], AHEAD, AHEAD[:-1], AHEAD[:0], b"", b"x" * 50_000, b"y" * 50_000]
    assert len({fingerprint(content) for content in contents}) == len(contents)


def test_frozen_sensors_are_taken_out_while_others_tell_something() -> None:
    frozen = {"rgb": "rgb is frozen: …"}
    both = Frame(0, SCENE, points=AHEAD, **PLACED)
    left, taken, kept = without_frozen(both, frozen)
    assert (left.modalities, left.size, taken, kept) == (("lidar",), (WIDTH, HEIGHT), frozen, {})
    assert both.modalities == ("rgb", "lidar")


def test_what_is_all_there_is_stays() -> None:
    """An image that is played again and again, or beside sensors without information."""
    alone, beside_nothing = Frame(0, SCENE), Frame(0, SCENE, points=np.zeros((5, 4), np.float32), **PLACED)
    for frame in (alone, beside_nothing):
        left, taken, kept = without_frozen(frame, {"rgb": "rgb is frozen: …"})
        assert left is frame
        assert (taken, kept) == ({}, {"rgb": "rgb is frozen: …; it is all there is, and used"})


def test_black_is_a_better_reason_than_frozen() -> None:
    black = Frame(0, np.zeros(RGB, np.uint8), points=AHEAD, **PLACED)
    assert without_frozen(black, {"rgb": "rgb is frozen: …"}) == (black, {}, {})
