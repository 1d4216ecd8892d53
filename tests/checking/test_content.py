# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from perception.checking.content import BitDepths, Colours, Distances, Intensities, Presence
from perception.checking.findings import Finding
from perception.frame import CameraModel, Frame

CAMERA = CameraModel(np.array([[60.0, 0, 48], [0, 60, 32], [0, 0, 1]]), 96, 64)


def codes(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    return [(each.code, each.where) for each in findings]


def street(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """(depth, points) of 96×64 pixels, each with its own distance and its own point; the LiDAR's frame is the camera's.

    Below every point lies ground that is as far away: nothing hides anything.
    """
    rows, columns = np.mgrid[:64, :96]
    depth = (5 + 0.6 * rows[::-1] + 0.001 * columns).astype(np.float32)
    depth += np.random.default_rng(seed).normal(0, 0.02, depth.shape).astype(np.float32)
    x, y = (columns - 48) / 60 * depth, (rows - 32) / 60 * depth
    points = np.stack([x, y, depth, np.full_like(depth, 0.4)], -1).reshape(-1, 4)[::3]
    return depth, points.astype(np.float32)


def looked_at(depth: np.ndarray | None, infrared: np.ndarray | None = None, lidar: bool = True) -> list[Finding]:
    distances = Distances()
    for seed in range(2):
        points = street(seed)[1] if lidar else None
        distances.add(Frame(0, None, depth, infrared, points, CAMERA, np.eye(4)))
    return list(distances.findings(lidar))


def test_depth_that_agrees_with_the_lidar_is_fine() -> None:
    assert looked_at(street()[0]) == []
    assert looked_at(street()[0] * np.float32(1.1)) == []


@pytest.mark.parametrize(
    ("factor", "words"),
    [
        (1000.0, "millimetres were sent as metres"),
        (0.001, "metres were sent as millimetres"),
        (256.0, "metres × 256 were sent as metres"),
        (0.256, "KITTI's PNG"),
    ],
)
def test_a_unit_that_was_mixed_up_is_named(factor: float, words: str) -> None:
    found = looked_at((street()[0] * factor).astype(np.float32))
    assert codes(found) == [("depth-unit", "depth")]
    assert words in found[0].what


def test_a_scale_that_is_no_unit_is_told_with_its_factor() -> None:
    found = looked_at(street()[0] * np.float32(1.5))
    assert codes(found) == [("depth-scale", "depth")]
    assert "1.5 times" in found[0].what


def test_depth_upside_down_is_unrelated() -> None:
    assert codes(looked_at(np.ascontiguousarray(street()[0][::-1]))) == [("depth-unrelated", "depth")]


def test_depth_and_infrared_that_were_swapped() -> None:
    depth = street()[0]
    heat = np.random.default_rng(5).uniform(20, 40, depth.shape).astype(np.float32)
    found = looked_at(heat, (depth * 256).astype(np.uint16))
    assert codes(found) == [("sensors-swapped", "depth, infrared")]
    assert looked_at(depth, (heat * 256).astype(np.uint16)) == []


def test_depth_alone_must_be_plausible_and_not_empty() -> None:
    depth = street()[0]
    assert looked_at(depth, lidar=False) == []
    assert codes(looked_at(depth * np.float32(1000), lidar=False)) == [("depth-unit", "depth")]
    depth[1:] = np.nan  # one row of 64 is left
    assert codes(looked_at(depth, lidar=False)) == [("depth-holes", "depth")]


def test_the_ratio_is_the_median_and_unknown_of_few_pixels() -> None:
    distances = Distances()
    depth, points = street()
    distances.add(Frame(0, None, depth * np.float32(2), None, points, CAMERA, np.eye(4)))
    assert distances.ratio() == pytest.approx(2, rel=0.01)
    few = Distances()
    few.add(Frame(0, None, depth, None, points[::50], CAMERA, np.eye(4)))
    assert few.ratio() is None


def sweep(intensity: np.ndarray) -> Frame:
    points = np.ones((len(intensity), 4), np.float32)
    points[:, 3] = intensity
    return Frame(0, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))


@pytest.mark.parametrize(
    ("intensity", "code"),
    [
        (np.linspace(0, 1, 500), ""),
        (np.full(500, 0.5), "intensity-constant"),
        (np.linspace(0, 0.01, 500), "intensity-range"),
        (np.r_[np.linspace(0, 0.01, 480), np.full(20, 0.9)], ""),  # a few bright ones are enough
    ],
)
def test_intensities(intensity: np.ndarray, code: str) -> None:
    check = Intensities()
    check.add(sweep(intensity.astype(np.float32)))
    assert codes(check.findings()) == ([(code, "lidar")] if code else [])
    assert codes(Intensities().findings()) == []


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (np.arange(20_000, 20_600), ""),
        (np.arange(0, 255), "bit-depth"),
        (np.repeat([20_000, 30_000], 50), "bit-depth"),
        (np.r_[np.zeros(50), np.arange(20_000, 20_100)], ""),
    ],
)
def test_sixteen_bits_are_used(values: np.ndarray, code: str) -> None:
    check = BitDepths()
    check.add(Frame(0, infrared=values.astype(np.uint16)[None]))
    assert codes(check.findings()) == ([(code, "infrared")] if code else [])


def test_eight_bits_are_not_judged() -> None:
    check = BitDepths()
    check.add(Frame(0, infrared=np.arange(9, dtype=np.uint8)[None]))
    assert codes(check.findings()) == []


def picture(sky: tuple[int, int, int]) -> Frame:
    rgb = np.full((96, 160, 3), 60, np.uint8)
    rgb[:40] = sky
    return Frame(0, rgb=rgb)


@pytest.mark.parametrize(
    ("sky", "swapped"),
    [((130, 170, 230), False), ((230, 170, 130), True), ((200, 200, 200), False), ((120, 60, 20), False)],
)
def test_an_orange_sky_by_day_is_a_blue_one_swapped(sky: tuple[int, int, int], swapped: bool) -> None:
    check = Colours()
    for _ in range(2):
        check.add(picture(sky))
    assert codes(check.findings()) == []  # two are too few
    check.add(picture(sky))
    assert codes(check.findings()) == ([("colours-swapped", "rgb")] if swapped else [])


def test_dull_and_frozen_sensors_are_counted_by_reason() -> None:
    presence = Presence()
    black = Frame(0, rgb=np.zeros((64, 96, 3), np.uint8))
    noise = np.random.default_rng(0).integers(0, 256, (64, 96, 3)).astype(np.uint8)
    assert set(presence.add(black, {})) == {"rgb"}
    assert presence.add(Frame(0, rgb=noise), {"lidar": "is frozen since 0.4 s"}) == {}
    presence.add(black, {})
    found = list(presence.findings())
    assert codes(found) == [("image-black", "rgb"), ("frozen", "lidar")]
    assert "2 of 3 frames" in found[0].what
    assert "1 of 3 frames" in found[1].what
