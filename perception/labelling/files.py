# SPDX-License-Identifier: Apache-2.0
"""The files of each labelled frame. They alone record what is done."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.datasets.io.files import read_bytes, read_mono
from perception.disk import whole_file, write_file, write_json
from perception.errors import DataError
from perception.frame import Frame, Prediction
from perception.instances import extents
from perception.labelling.clouds import write_cloud
from perception.labelling.kitti_objects import label_lines
from perception.objects import Object

OUTPUTS: dict[str, tuple[str, ...]] = {
    "masks": ("labels",),
    "colours": ("labels", "colours"),
    "confidence": ("labels", "confidence"),
    "cloud": ("labels", "clouds"),
    "bag": ("labels", "confidence", "point_labels", "point_confidence", "instances"),
    "video": ("labels", "instances"),
    "coco": ("labels",),
    "instances": ("labels", "instances"),
    "panoptic": ("labels", "instances"),
    "kitti": ("labels", "label_2"),
}
"""The folders of per-frame files that each output consists of or is made from."""

OF_THINGS = ("instances", "panoptic", "kitti")
"""Outputs that need a network that tells things apart; a video shows its instances too, and a bag has them."""

_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_OF_POINTS = {"clouds", "point_labels", "point_confidence"}
_OF_INSTANCES = {"instances", "label_2"}
_SUFFIXES = {
    **dict.fromkeys(("labels", "colours", "confidence", "instances"), ".png"),
    **dict.fromkeys(("point_labels", "point_confidence"), ".bin"),
    "label_2": ".txt",
}


@dataclass(frozen=True)
class FrameFiles:
    """FOLDER/labels/NAME.png and whatever else `outputs` (of OUTPUTS) ask for, and FOLDER/frames/NAME.json.

    The latter is written last: it marks the frame as done. Each file is renamed into place when complete. cloud: the
    suffix of clouds, of `clouds.FORMATS`. classes: of the labels.
    """

    folder: Path
    outputs: tuple[str, ...]
    cloud: str = "ply"
    classes: Classes = CLASSES

    def path(self, kind: str, name: str) -> Path:
        """Where a frame's file of that kind lies: labels, colours, confidence, clouds, point_labels, point_confidence,
        instances, label_2 or frames."""
        suffix = {**_SUFFIXES, "clouds": f".{self.cloud}", "frames": ".json"}[kind]
        return self.folder / kind / f"{name}{suffix}"

    def is_done(self, name: str) -> bool:
        """Whether all files that the outputs need of the frame exist and are complete."""
        try:
            record = self.record(name)
        except DataError:
            return False
        if self._of_things() and "instances" not in record:
            return False
        kinds = self._kinds("lidar" in record["modalities"], "instances" in record)
        return all(_is_whole(self.path(kind, name)) for kind in kinds)

    def size(self, name: str) -> int:
        """Bytes of all files of a frame that is done."""
        paths = [self.path(kind, name) for kind in (*self._kinds(True, True), "frames")]
        return sum(path.stat().st_size for path in paths if path.is_file())

    def write(
        self,
        name: str,
        frame: Frame,
        prediction: Prediction,
        complaints: Iterable[str] = (),
        overturns: Mapping[str, float] | None = None,
        objects: Sequence[Object] = (),
    ) -> None:
        """Write the frame's files.

        complaints: what was left out of it. overturns: see `contradiction.overturned`; None if not checked. objects:
        for KITTI's files. Raises DataError or OSError if it cannot, or the network has no instances that the outputs
        need, and DiskFull where there is no room.
        """
        prediction = self._told_apart(prediction)
        for kind in self._kinds(prediction.point_labels is not None, prediction.instances is not None):
            if kind == "label_2":
                write_file(self.path(kind, name), label_lines(prediction, objects).encode())
            else:
                self._write(kind, self.path(kind, name), frame, prediction)
        counts = np.bincount(prediction.labels.ravel(), minlength=256)
        record = {
            "stamp_ns": prediction.stamp_ns,
            "size": list(frame.size),
            "modalities": list(frame.modalities),
            "absent": prediction.absent,
            "modality_weights": {key: round(value, 4) for key, value in prediction.modality_weights.items()},
            "pixels": dict(zip(prediction.classes.names, counts.tolist(), strict=False)),
            "complaints": list(complaints),
            **({} if prediction.instances is None else {"instances": len(extents(prediction.instances).codes)}),
            **({} if overturns is None else {"overturns": {key: round(each, 4) for key, each in overturns.items()}}),
        }
        write_json(self.path("frames", name), record)

    def record(self, name: str) -> dict[str, Any]:
        """The record of a frame that is done. Raises DataError where it is not."""
        path = self.path("frames", name)
        try:
            record: dict[str, Any] = dict(json.loads(read_bytes(path)))
            missing = {"modalities", "pixels", "complaints"} - record.keys()
        except (ValueError, TypeError) as error:
            raise DataError(f"{path}: broken ({error}); remove it and label again") from error
        if missing:
            raise DataError(f"{path}: {min(missing)} is missing; remove it and label again")
        return record

    def labels(self, name: str) -> NDArray[np.uint8]:
        """(H, W) uint8 class ids of a frame that is done. Raises DataError for a missing or broken file."""
        return np.asarray(read_mono(self.path("labels", name)), np.uint8)

    def confidence(self, name: str) -> NDArray[np.uint8]:
        """(H, W) uint8, the winning class's probability × 255. Raises DataError as `labels` does."""
        return np.asarray(read_mono(self.path("confidence", name)), np.uint8)

    def instances(self, name: str) -> NDArray[np.uint16] | None:
        """(H, W) uint16 instances of a frame that is done, as in `Prediction`; None where it has none. Raises DataError
        as `labels` does."""
        if "instances" not in self.record(name):
            return None
        return np.asarray(read_mono(self.path("instances", name)), np.uint16)

    def point_labels(self, name: str) -> NDArray[np.uint8]:
        """(N,) uint8 class ids of the sweep's points. Raises DataError for a missing file."""
        return np.frombuffer(read_bytes(self.path("point_labels", name)), np.uint8)

    def point_confidence(self, name: str) -> NDArray[np.uint8]:
        """(N,) uint8, the probability of each point's class × 255. Raises DataError for a missing file."""
        return np.frombuffer(read_bytes(self.path("point_confidence", name)), np.uint8)

    def _kinds(self, with_points: bool, with_instances: bool) -> list[str]:
        """The folders that get a file of a frame; a frame without a sweep has none of points."""
        kinds = dict.fromkeys(kind for output in self.outputs for kind in OUTPUTS[output])
        left_out = (set() if with_points else _OF_POINTS) | (set() if with_instances else _OF_INSTANCES)
        return [kind for kind in kinds if kind not in left_out]

    def _told_apart(self, prediction: Prediction) -> Prediction:
        """With instances, if an output needs them. Raises DataError where the network does not give them."""
        asked = self._of_things()
        if not asked or prediction.instances is not None:
            return prediction
        if (prediction.labels != UNLABELLED).any():
            raise DataError(
                f"--write {asked}: the network does not tell things apart; name one with an instance head by --model, "
                "such as dual_branch_s_instances"
            )
        return replace(prediction, instances=np.zeros(prediction.labels.shape, np.uint16))  # no sensor told anything

    def _of_things(self) -> str | None:
        return next((output for output in self.outputs if output in OF_THINGS), None)

    @staticmethod
    def _write(kind: str, path: Path, frame: Frame, prediction: Prediction) -> None:
        if kind == "labels":
            _write_png(path, prediction.labels)
        elif kind == "colours":
            _write_png(path, np.ascontiguousarray(prediction.classes.colourise(prediction.labels)[:, :, ::-1]))
        elif kind == "instances":
            assert prediction.instances is not None
            _write_png(path, prediction.instances)
        elif kind == "confidence":
            _write_png(path, prediction.confidence)
        else:
            assert frame.points is not None
            assert prediction.point_labels is not None
            if kind == "point_labels":
                write_file(path, prediction.point_labels.tobytes())
            elif kind == "point_confidence":
                assert prediction.point_confidence is not None
                write_file(path, prediction.point_confidence.tobytes())
            elif len(frame.points):
                with whole_file(path, suffix=path.suffix) as partial:  # the suffix says which kind
                    write_cloud(partial, frame.points, prediction.point_labels, prediction.classes)
            else:
                write_file(path, b"")  # Open3D writes no cloud of no points


def _is_whole(path: Path) -> bool:
    """Whether the file exists; for a PNG, whether it is complete."""
    if path.suffix != ".png" or not path.is_file():
        return path.is_file()
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - len(_PNG_END)))
        return file.read() == _PNG_END


def _write_png(path: Path, image: NDArray[Any]) -> None:
    """Fast rather than small: masks compress well anyway."""
    write_file(path, cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 3])[1].tobytes())
