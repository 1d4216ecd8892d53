# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.fleet import every_class, scene

from perception.classes import CLASSES
from perception.datasets.image_folder import ImageFolder
from perception.datasets.io.named_frames import NamedFrames
from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.frame import CameraModel, Frame
from perception.selection.export import FORMATS, Exported, write_format, write_frame

TO_CAMERA = np.array([[0, -1.0, 0, 0.1], [0, 0, -1, -0.2], [1, 0, 0, 0.3], [0, 0, 0, 1]])


def whole() -> Frame:
    """A frame of every sensor, whose camera model is for another size of the image."""
    rng = np.random.default_rng(0)
    depth = rng.uniform(1, 50, (32, 48)).astype(np.float32)
    depth[0, 0] = np.nan
    return Frame(
        7,
        rgb=rng.integers(0, 256, (64, 96, 3), np.uint8),
        depth=depth,
        infrared=rng.integers(1000, 9000, (32, 48), np.uint16),
        points=rng.uniform((1, -5, -2, 0), (40, 5, 1, 1), (200, 4)).astype(np.float32),
        camera=CameraModel(np.array([[70.0, 0, 24], [0, 70, 16], [0, 0, 1]]), 48, 32),
        lidar_to_camera=TO_CAMERA,
    )


class Frames(NamedFrames):
    """A recording of one frame. bent: what a lens shows of its image, if there is one."""

    path = Path("recording")
    names = ("0",)
    stamps_ns = (7,)

    def __init__(self, frame: Frame, bent: np.ndarray | None = None) -> None:
        self._frame, self._bent = frame, bent

    def read(self, index: int) -> Frame:
        return self._frame

    def shown(self, index: int) -> Frame:
        return self._frame if self._bent is None else replace(self._frame, rgb=self._bent)


def test_every_sensor_comes_back(tmp_path: Path) -> None:
    frame = whole()
    image = write_frame(tmp_path, "a", Frames(frame), 0, (64, 96))
    again = ImageFolder(tmp_path)[0]
    assert frame.rgb is not None
    assert again.camera is not None
    assert frame.camera is not None
    np.testing.assert_array_equal(image, frame.rgb)
    np.testing.assert_array_equal(again.rgb, frame.rgb)
    np.testing.assert_array_equal(again.infrared, frame.infrared)
    np.testing.assert_array_equal(again.points, frame.points)
    np.testing.assert_allclose(again.depth, frame.depth, atol=1 / 512)
    np.testing.assert_allclose(again.lidar_to_camera, TO_CAMERA, atol=1e-9)
    np.testing.assert_allclose(again.camera.intrinsics, frame.camera.resized(96, 64).intrinsics, atol=1e-6)


def test_an_image_that_a_lens_bends_is_alone(tmp_path: Path) -> None:
    bent = np.zeros((64, 96, 3), np.uint8)
    write_frame(tmp_path, "a", Frames(whole(), bent), 0, (64, 96))
    assert ImageFolder(tmp_path)[0].modalities == ("rgb",)
    np.testing.assert_array_equal(ImageFolder(tmp_path)[0].rgb, bent)


def test_a_thermal_image_is_stretched(tmp_path: Path) -> None:
    infrared = np.array([[0, 7000, 7500, 8000]], np.uint16)
    image = write_frame(tmp_path, "a", Frames(Frame(0, infrared=infrared)), 0, (1, 4))
    assert image.tolist() == [[0, 1, 128, 255]]
    assert cv2.imread(str(tmp_path / "image/a.png"), cv2.IMREAD_UNCHANGED).tolist() == [[0, 1, 128, 255]]


def test_what_cannot_be_drawn_on_is_refused(tmp_path: Path) -> None:
    blind = replace(whole(), rgb=None, infrared=None)
    with pytest.raises(DataError, match="recording: 0 has no image to draw on"):
        write_frame(tmp_path, "a", Frames(blind), 0, (32, 48))
    with pytest.raises(DataError, match="is not as large as its labels"):
        write_frame(tmp_path, "a", Frames(whole()), 0, (32, 48))
    with pytest.raises(DataError, match="0 is unlike the chosen thermal images; choose from it alone"):
        write_frame(tmp_path, "a", Frames(whole()), 0, (64, 96), thermal=True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", FORMATS)
def test_masks_go_out_and_come_back(tmp_path: Path, kind: str) -> None:
    """As a person would send them back who finds nothing to correct."""
    truth = {"a": every_class(), "b": scene(9)}
    for number, name in enumerate(truth):
        write_frame(tmp_path, name, Frames(replace(whole(), stamp_ns=number)), 0, (64, 96))
    frames = [Exported(name, f"why {name}", partial(truth.__getitem__, name)) for name in truth]
    written = write_format(kind, tmp_path, frames, CLASSES, "a_network")
    with pytest.raises(DataError, match="found none"):
        open_dataset(kind, tmp_path)  # what nobody has looked at is not taken for truth
    if kind == "cvat":
        with zipfile.ZipFile(written[0]) as archive:
            assert sorted(archive.namelist()) == ["annotations.xml", "images/a.png", "images/b.png"]
            archive.extract("annotations.xml", tmp_path)
    elif kind == "coco":
        (tmp_path / "annotations").mkdir()
        written[0].rename(tmp_path / "annotations/instances_default.json")
    else:
        done = [{**task, "annotations": task["predictions"]} for task in json.loads(written[0].read_text())]
        (tmp_path / "project-1-at-2026.json").write_text(json.dumps(done))
    for sample in open_dataset(kind, tmp_path):
        np.testing.assert_array_equal(sample.labels, truth[sample.name])
        assert sample.frame.modalities == ("rgb", "depth", "infrared", "lidar")
    assert not list(tmp_path.glob(".*")), "an unfinished file was left"
