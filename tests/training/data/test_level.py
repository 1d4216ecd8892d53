# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("torch")

from perception.frame import CameraModel, Frame
from perception.sample import Sample
from perception.sensors import NetworkInput
from perception.training.data.level import expect_ground, without_heights

CAMERA = CameraModel(np.array([[350.0, 0, 319.5], [0, 350, 95.5], [0, 0, 1]]), 640, 192)


def road(height: float) -> Frame:
    """Depth of a flat road under a level camera."""
    v = np.arange(192)[:, None]
    with np.errstate(divide="ignore"):
        depth = np.where(v > 100, 350 * height / (v - 95.5), np.nan) * np.ones((1, 640))
    return Frame(0, depth=depth.astype(np.float32), camera=CAMERA)


def test_a_frame_without_ground_expects_that_of_its_drive() -> None:
    wall = Frame(0, depth=np.full((192, 640), 6, np.float32), camera=CAMERA)
    samples = [Sample("a/0", road(1.6)), Sample("a/1", road(1.7)), Sample("a/2", wall), Sample("b/0", wall)]
    heights = [sample.frame.ground and sample.frame.ground.height for sample in expect_ground(samples)]
    assert heights[0] == pytest.approx(1.6, abs=0.05)
    assert heights[1] == pytest.approx(1.7, abs=0.05)
    assert heights[2] == pytest.approx(1.65, abs=0.06)
    assert heights[3] is None


def test_where_the_sweep_shows_no_ground_the_depth_image_does() -> None:
    """The ground, as in a frame that is encoded."""
    behind = np.random.default_rng(0).uniform((-9, -3, 0, 0), (-2, 3, 2, 1), (500, 4)).astype(np.float32)
    axes = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
    frame = replace(road(1.6), points=behind, lidar_to_camera=axes)
    ground = expect_ground([Sample("x", frame)])[0].frame.ground
    assert ground is not None
    assert (ground.source, ground.height) == ("depth", pytest.approx(1.6, abs=0.05))


def test_a_plane_unlike_those_of_its_drive_is_not_believed() -> None:
    samples = [Sample(f"a/{i}", road(height)) for i, height in enumerate((1.6, 1.6, 1.6, 0.7))]
    assert expect_ground(samples)[3].frame.ground.height == pytest.approx(1.6, abs=0.05)


def test_names_without_a_drive_share_nothing() -> None:
    wall = Frame(0, depth=np.full((192, 640), 6, np.float32), camera=CAMERA)
    found = expect_ground([Sample("x", road(1.6)), Sample("y", wall)])
    assert found[1].frame.ground is None


def test_only_heights_are_emptied() -> None:
    made = NetworkInput(np.zeros((64, 64, 3), np.uint8), np.full((32, 32, 10), 5, np.uint8), np.ones(4, np.float32))
    without_heights(made)
    assert (made.aux[0, 0] == [5, 0, 5, 5, 5, 5, 5, 0, 5, 5]).all()
