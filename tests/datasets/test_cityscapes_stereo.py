# SPDX-License-Identifier: Apache-2.0
"""Cityscapes with its stereo depth, as published and at half the size."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.datasets.cityscapes_stereo import CityscapesStereo
from perception.datasets.registry import open_dataset
from perception.errors import DataError

from .conftest import picture, write

CAMERA = {"fx": 40.0, "fy": 41.0, "cx": 16.0, "cy": 9.0, "baseline": 0.2, "camera_height": 1.22, "pitch": 0.038}


@pytest.fixture
def small(tmp_path):
    """Five images; their disparity is none in the first column, 1 pixel in the second, 2 in the others."""
    counts = np.full((20, 32), 32, np.uint16)
    counts[:, 0], counts[:, 1] = 0, 16
    for number in range(5):
        write(tmp_path / "left" / f"bonn_{number}.jpg", picture())
        write(tmp_path / "disparity" / f"bonn_{number}.png", counts)
    (tmp_path / "cameras.json").write_text(json.dumps({f"bonn_{number}": CAMERA for number in range(5)}))
    return tmp_path


@pytest.fixture
def published(tmp_path):
    """One image of train and two of val, the last one without ids; disparities as in `small`."""
    counts = np.full((20, 32), 513, np.uint16)
    counts[:, :3] = 0, 257, 1
    camera = {
        "extrinsic": {"baseline": 0.2, "pitch": 0.04, "roll": 0.0, "x": 1.7, "y": -0.1, "yaw": 0.0, "z": 1.3},
        "intrinsic": {"fx": 40, "fy": 41, "u0": 16, "v0": 9},
    }
    ids = np.repeat(np.array([7, 8, 24, 25, 26, 33, 29, 0], np.uint8), 4)[None].repeat(20, 0)
    for split, city, name in (("train", "ulm", "ulm_1"), ("val", "bonn", "bonn_1"), ("val", "kiel", "kiel_1")):
        write(tmp_path / f"leftImg8bit/{split}/{city}/{name}_leftImg8bit.png", picture())
        write(tmp_path / f"disparity/{split}/{city}/{name}_disparity.png", counts)
        path = tmp_path / f"camera/{split}/{city}/{name}_camera.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(camera))
        if city != "kiel":
            write(tmp_path / f"gtFine/{split}/{city}/{name}_gtFine_labelIds.png", ids)
    return tmp_path


def test_the_small_layout(small):
    samples: Any = open_dataset("cityscapes-stereo", small, "all")
    assert [sample.name for sample in samples] == [f"bonn_{number}" for number in range(5)]
    frame = samples[0].frame
    assert (frame.depth.dtype, frame.size, samples[0].labels) == (np.float32, (32, 20), None)
    np.testing.assert_allclose(frame.depth[7, :4], [np.nan, 8, 4, 4])
    assert frame.camera.intrinsics.tolist() == [[40, 0, 16], [0, 41, 9], [0, 0, 1]]
    assert samples.mounting(0) == (1.22, 0.038)
    assert [sample.name for sample in CityscapesStereo(small, "val")] == ["bonn_4"]


def test_the_published_layout(published):
    samples = CityscapesStereo(published, "val")
    assert [sample.name for sample in samples] == ["val/bonn_1", "val/kiel_1"]
    np.testing.assert_allclose(samples[0].frame.depth[7, :5], [np.nan, 8, np.nan, 4, 4])
    assert samples[0].frame.camera.intrinsics.tolist() == [[40, 0, 16], [0, 41, 9], [0, 0, 1]]
    assert samples.mounting(1) == (1.3, 0.04)
    assert samples[0].labels[0, ::4].tolist() == [
        ROAD, BACKGROUND, PEDESTRIAN, PEDESTRIAN, VEHICLE, VEHICLE, UNLABELLED, UNLABELLED,
    ]  # fmt: skip
    assert samples[1].labels is None
    assert [sample.name for sample in CityscapesStereo(published, "train")] == ["train/ulm_1"]
    assert len(CityscapesStereo(published, "all")) == 3


def test_mistakes_name_path_and_reason(small, tmp_path):
    with pytest.raises(DataError, match="left: no such folder"):
        CityscapesStereo(tmp_path / "nowhere")
    with pytest.raises(DataError, match="this data set has train, val, all"):
        CityscapesStereo(small, "test")
    write(small / "disparity/bonn_3.png", np.zeros((10, 16), np.uint16))
    with pytest.raises(DataError, match=r"bonn_3\.png: uint16 16×10, expected uint16 32×20, as large as its image"):
        CityscapesStereo(small, "all")[3]
    for content, message in (
        ({}, "cameras.json: bonn_4: expected the numbers fx, fy"),
        ({"bonn_4": CAMERA | {"baseline": "wide"}}, "cameras.json: bonn_4: expected the numbers fx, fy"),
        ({"bonn_4": CAMERA | {"baseline": 0}}, "cameras.json: bonn_4: focal lengths and baseline must be positive"),
    ):
        (small / "cameras.json").write_text(json.dumps(content))
        with pytest.raises(DataError, match=message):
            CityscapesStereo(small)[0]
    (small / "cameras.json").write_text("{")
    with pytest.raises(DataError, match=r"cameras\.json: not valid JSON"):
        CityscapesStereo(small)[0]


def test_mistakes_in_the_published_layout(published):
    (published / "camera/val/bonn/bonn_1_camera.json").write_text('{"intrinsic": 3}')
    with pytest.raises(DataError, match=r"bonn_1_camera\.json: expected intrinsic with fx, fy, u0, v0 and extrinsic"):
        CityscapesStereo(published)[0]
    (published / "disparity/val/kiel/kiel_1_disparity.png").unlink()
    with pytest.raises(DataError, match=r"kiel_1_disparity\.png: no such file"):
        CityscapesStereo(published)[1]


def test_the_real_roads_lie_where_the_camera_is_mounted(real_data):
    """A plane through the road ahead has the height and pitch, seen from the camera, that the set gives."""
    samples = CityscapesStereo(real_data / "cityscapes_stereo", "all")
    assert len(samples) == 44
    found = np.array([_ground(samples[index].frame) for index in range(0, 44, 4)])
    height, pitch = samples.mounting(0)
    assert np.median(found, axis=0) == pytest.approx([height, pitch], rel=0.05)
    assert (np.abs(found - [height, pitch]) < [0.12, 0.015]).all()


def _ground(frame) -> tuple[float, float]:
    """(metres below the camera, radians of pitch) of the plane y = a x + b z + c through the points beyond the
    bonnet."""
    rows, columns = np.mgrid[300:470:4, 300:720:4]
    z, k = frame.depth[rows, columns], frame.camera.intrinsics
    near = z < 25
    x, y = ((columns - k[0, 2]) / k[0, 0] * z)[near], ((rows - k[1, 2]) / k[1, 1] * z)[near]
    terms, kept = np.stack([x, z[near], np.ones_like(x)], axis=1), np.ones(len(x), bool)
    for _ in range(5):
        plane = np.linalg.lstsq(terms[kept], y[kept], rcond=None)[0]
        kept = np.abs(terms @ plane - y) < 0.1
    return plane[2] / np.sqrt(1 + plane[0] ** 2 + plane[1] ** 2), np.arctan(-plane[1])
