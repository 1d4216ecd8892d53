# SPDX-License-Identifier: Apache-2.0
"""Labels of a fleet as `perception label` writes them, in which it is known what speaks for which frame."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.disk import write_json
from perception.frame import Frame, Prediction
from perception.labelling.files import FrameFiles
from perception.recordings.opening import open_recording

WIDTH, HEIGHT = 96, 64

MODEL = "a_network"


def scene(shift: int = 0) -> NDArray[np.uint8]:
    """(64, 96) background above road, a vehicle whose place is `shift`, and a corner that is unlabelled."""
    labels = np.zeros((HEIGHT, WIDTH), np.uint8)
    labels[32:] = ROAD
    labels[30:44, 10 + shift : 30 + shift] = VEHICLE
    labels[:3, -5:] = UNLABELLED
    return labels


def every_class() -> NDArray[np.uint8]:
    """A scene with a pedestrian with a hole, and specks of one to three pixels."""
    labels = scene()
    labels[20:40, 60:70] = PEDESTRIAN
    labels[25:28, 63:66] = ROAD
    labels[2, 2] = labels[5, 7:9] = VEHICLE
    labels[50, 50:53] = PEDESTRIAN
    return labels


def write_image(path: Path, seed: int = 0) -> None:
    """An image of noise as large as the scenes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    assert cv2.imwrite(str(path), image)


def write_labelled(
    root: Path,
    name: str,
    count: int,
    unsure: Collection[int] = (),
    walkers: Collection[int] = (),
    flickers: Collection[int] = (),
    overturns: Mapping[int, float] | None = None,
    confidence: bool = True,
) -> Path:
    """ROOT/labels/NAME, the labels of a folder of images ROOT/drives/NAME; returns the former.

    unsure: numbers of the frames with a quarter of little confidence. walkers: with a pedestrian. flickers: with a
    vehicle that is only there. overturns: what the LiDAR overturns, by number; other frames were not checked.
    """
    drive, folder = root / "drives" / name, root / "labels" / name
    for number in range(count):
        write_image(drive / f"{number:03d}.png", number)
    recording = open_recording(drive)
    files = FrameFiles(folder, ("masks", "confidence") if confidence else ("masks",))
    for number, frame_name in enumerate(recording.names):
        labels, sure = scene(number), np.full((HEIGHT, WIDTH), 240, np.uint8)
        if number in walkers:
            labels[20:40, 70:76] = PEDESTRIAN
        if number in flickers:
            labels[4:24, 40:60] = VEHICLE
        if number in unsure:
            sure[:32, :48] = 100
        stamp = recording.stamps_ns[number]
        prediction = Prediction(stamp, labels, sure, {"rgb": 1.0})
        told = {"lidar": overturns[number]} if overturns and number in overturns else None
        files.write(frame_name, Frame(stamp, np.zeros((HEIGHT, WIDTH, 3), np.uint8)), prediction, (), told)
    classes = ["background", "road", "vehicle", "pedestrian"]
    manifest = {"input": str(drive), "model": MODEL, "classes": classes, "reading": [None, None], "topics": None}
    write_json(folder / "label.json", manifest)
    return folder
