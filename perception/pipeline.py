# SPDX-License-Identifier: Apache-2.0
"""The one path from a `Frame` to a `Prediction`, which the node, the command line and evaluation share."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.engines import Engine, load_engine
from perception.engines import self_check as canned
from perception.engines.base import NetworkOutput, needs_of_engine, prepare, sensors_of_engine
from perception.engines.described import classes_of
from perception.engines.family import find_member, input_size, member_name, weights_of
from perception.engines.twice import Twice, once_of
from perception.errors import FrameError
from perception.frame import Frame, Prediction
from perception.ground import Ground
from perception.instances import group, part_by_depth
from perception.sensors import NetworkInput, Projection, project_sweep
from perception.sensors.encode import encode, encode_distances, encode_images, join
from perception.sensors.presence import uninformative, without
from perception.sensors.spec import SPECS
from perception.sensors.visibility import label_points
from perception.steadying import Steadying
from perception.threads import PinnedWorker, share_threads

_log = logging.getLogger(__name__)

STAGES = ("project", "normalise", "infer", "decode")
"""What `Prediction.timings_ms` tells the time of, in order."""

DEPTH_STEP = 4
"""One of so many rows and columns of a depth image is used to part instances."""

Pixel = TypeVar("Pixel", np.uint8, np.uint16)


@dataclass
class Task:
    """A frame on its way through the pipeline, with what each step has found so far.

    absent: see `Prediction`. network_input: None where no sensor tells anything.
    """

    frame: Frame
    absent: dict[str, str] = field(default_factory=dict)
    projection: Projection | None = None
    network_input: NetworkInput | None = None
    output: NetworkOutput | None = None
    ground: Ground | None = None
    timings_ms: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Note how long the body takes."""
        began = perf_counter()
        yield
        self.timings_ms[stage] = 1e3 * (perf_counter() - began)


class Pipeline:
    """Encode → engine → decode. One caller at a time, of the whole or of each step.

    engine: runs the network. model: the file that it runs. overlap: code the images in a thread of its own while the
    sweep is projected, which takes as long. without: sensors that are left out of every frame, as if they told
    nothing. scale: the part of its usual resolution that the network gets; labels have the frame's size nevertheless.
    steady: the frames are those of one drive in order, and what the last ones say counts too (`perception.steadying`).
    Raises FrameError for one of `without` that is none of the network's `sensors`, ModelError for a file whose classes
    cannot be read. classes: that the network knows. tells_instances: whether it has an instance head, which shows once
    it is warm.

    Sensors that a frame has and the network has no channels for, such as a radar with the shipped weights, are left out
    too; the log says so once. A network of the camera alone refuses a frame without its image with a FrameError.
    """

    def __init__(
        self,
        engine: Engine,
        model: Path,
        overlap: bool = True,
        without: Collection[str] = (),
        scale: float = 1.0,
        steady: bool = False,
    ) -> None:
        self.sensors, self._needs = sensors_of_engine(engine), needs_of_engine(engine)
        unknown = sorted(set(without) - set(self.sensors))
        if unknown:
            raise FrameError(f"no modality {', '.join(unknown)}: there are {', '.join(self.sensors)}")
        self.engine = engine
        self.model = model
        self.scale = scale
        self.classes = classes_of(model)
        self.tells_instances = False
        self._left_out = tuple(name for name in self.sensors if name in without)
        self._foreign: set[str] = set()
        self._images = PinnedWorker("images") if overlap else None
        self._steadying = Steadying(self.classes) if steady else None

    @classmethod
    def load(
        cls,
        model: str | Path | None = None,
        engine: str = "auto",
        threads: int | None = None,
        without: Collection[str] = (),
        steady: bool = False,
    ) -> Pipeline:
        """A pipeline on trained weights.

        model: None or auto for the most accurate of the shipped weights, the name of shipped weights, or the path of a
        .xml (OpenVINO), .onnx or .safetensors (PyTorch) file; with @0.7 behind it at that scale, and with @1x2 it looks
        twice (`perception.engines.twice`). engine: of `perception.engines.ENGINES`, or auto: the first whose file is
        there. threads: of the process, which its parts share (see `perception.threads`); None takes every core.
        without, steady: see the class. Raises ModelError.
        """
        member = find_member(model, engine)
        loaded = member.looking(load_engine(member.engine, member.path, share_threads(threads)))
        return cls(loaded, member.path, threads != 1, without, member.scale, steady)

    @property
    def name(self) -> str:
        """That of the model's file, and how it is run if that is not as usual."""
        return member_name(self.model.name, self.scale, isinstance(self.engine, Twice))

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the file that holds the weights."""
        return hashlib.sha256(weights_of(self.model).read_bytes()).hexdigest()

    def compile(self, width: int, height: int) -> None:
        """What of `warm_up` the engine can do without running, where it can: the longest part."""
        across, down = input_size(width, height, self.scale)
        prepare(self.engine, down, across)

    def warm_up(self, width: int, height: int) -> None:
        """Prepare the engine for frames of `width`×`height`, so that the first one is no slower than the next."""
        # A black image would tell nothing, and never reach the engine.
        ramp = np.linspace(0, 255, width).astype(np.uint8)
        frame = Frame(stamp_ns=0, rgb=np.broadcast_to(ramp[None, :, None], (height, width, 3)).copy())
        if set(self._needs) <= set(frame.modalities):
            self.tells_instances = self(frame).instances is not None
            return
        whole = encode(frame, *input_size(width, height, self.scale), sensors=self.sensors)
        output = self.engine.infer(NetworkInput(whole.rgb, whole.aux, np.ones_like(whole.present)))
        self.tells_instances = output.tells_instances

    def self_check(self) -> float | None:
        """The share of the labels stored beside the model that the engine gives here; None where none are stored.

        At a reduced resolution none are. Raises ModelError where they are too few: see `perception.engines.self_check`.
        """
        return canned.check(once_of(self.engine), self.model) if self.scale == 1.0 else None

    def __call__(self, frame: Frame) -> Prediction:
        """Predict; labels have the size of the frame (`Frame.size`). The frame is left as it is."""
        return self.decode(self.infer(self.prepare(frame)))

    def prepare(self, frame: Frame) -> Task:
        """The first of three steps, for callers that overlap them: while one frame is inferred, prepare the next.

        Raises FrameError for a frame without a sensor that the network needs, as a camera's alone needs its image.
        """
        if not set(self._needs) <= set(frame.modalities):
            needs = f"sees {self._needs[0]} alone" if len(self._needs) == 1 else f"needs {' and '.join(self._needs)}"
            raise FrameError(f"a frame of {', '.join(frame.modalities)}: the network {self.model.stem} {needs}")
        task, size = Task(frame), input_size(*frame.size, self.scale)
        with task.timed("project"):
            asked = {
                name: f"{name} is left out: so it was asked" for name in self._left_out if name in frame.modalities
            }
            useless = uninformative(frame) | asked
            task.absent = useless | self._without_channels(frame)
            told, sensors = without(frame, task.absent), self.sensors
            images = self._images.submit(encode_images, told, *size, sensors) if told and self._images else None
            # Of a sweep that the network has no channels for, the points are labelled nevertheless.
            task.projection = None if "lidar" in useless else project_sweep(frame)
        with task.timed("normalise"):
            if told:
                distances = encode_distances(told, task.projection, *size, sensors)
                task.ground = distances.fitted
                seen = images.result() if images else encode_images(told, *size, sensors)
                task.network_input = join(told, seen, distances, sensors)
        return task

    def _without_channels(self, frame: Frame) -> dict[str, str]:
        """Why the frame's sensors that the network does not have are left out; the log says it once."""
        foreign = {
            name: f"the network {self.model.stem} has no channels for {name}: it has {', '.join(self.sensors)}"
            for name in frame.modalities
            if name not in self.sensors and name in SPECS
        }
        for name in foreign.keys() - self._foreign:
            _log.warning(foreign[name])
        self._foreign |= foreign.keys()
        return foreign

    def infer(self, task: Task) -> Task:
        """The second step: run the network."""
        with task.timed("infer"):
            if task.network_input is not None:
                task.output = self.engine.infer(task.network_input)
        return task

    def decode(self, task: Task, instances: bool = True, points: bool = True) -> Prediction:
        """The third step: labels at the frame's size; all unlabelled where no sensor tells anything.

        instances: whether they are asked for, if the network tells things apart. points: whether the labels of the
        sweep's points are, which instances need too.
        """
        output, frame = task.output, task.frame
        with task.timed("decode"):
            if output is None:
                labels, confidence = _unlabelled(*reversed(frame.size))
                weights = np.zeros(len(self.sensors), np.float32)
            else:
                labels, confidence = (_resize(image, *frame.size) for image in (output.labels, output.confidence))
                weights = output.weights
                if self._steadying is not None:
                    labels, confidence = self._steadying(frame, labels, confidence)
            point_labels, point_confidence = _of_points(task, labels, confidence) if points else (None, None)
            prediction = Prediction(
                stamp_ns=frame.stamp_ns,
                labels=labels,
                confidence=confidence,
                modality_weights=dict(zip(self.sensors, weights.tolist(), strict=True)),
                point_labels=point_labels,
                ground=task.ground,
                absent=task.absent,
                classes=self.classes,
                point_confidence=point_confidence,
            )
            if instances and output is not None and output.tells_instances:
                prediction.instances = _instances(task, output, prediction)
        prediction.timings_ms = task.timings_ms
        return prediction


def _of_points(
    task: Task, labels: NDArray[np.uint8], confidence: NDArray[np.uint8]
) -> tuple[NDArray[np.uint8] | None, NDArray[np.uint8] | None]:
    """Class id and confidence of every point of the sweep; 255 and 0 for one that tells nothing."""
    if task.frame.points is None:
        return None, None
    if task.projection is None:
        return _unlabelled(len(task.frame.points))
    return label_points(task.frame, task.projection, labels, confidence)


def _instances(task: Task, output: NetworkOutput, prediction: Prediction) -> NDArray[np.uint16]:
    """At the frame's size, parted by what the sweep, else the depth image, measured."""
    instances = output.things
    if instances is None:
        assert output.instances is not None
        instances = group(output.labels, output.instances, prediction.classes)
    instances = _resize(instances, *task.frame.size)
    if task.projection is not None and prediction.point_labels is not None:
        seen = prediction.point_labels[task.projection.rows] != UNLABELLED
        part_by_depth(instances, task.projection.pixels[seen], task.projection.depth[seen])
    elif task.frame.depth is not None and "depth" not in task.absent:
        width, height = task.frame.size
        v, u = (axis.ravel() for axis in np.mgrid[:height:DEPTH_STEP, :width:DEPTH_STEP])
        rows, columns = task.frame.depth.shape
        part_by_depth(instances, v * width + u, task.frame.depth[v * rows // height, u * columns // width])
    return instances


def _unlabelled(*shape: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Labels and confidence that claim nothing."""
    labels = np.full(shape, UNLABELLED, np.uint8)
    return labels, np.zeros_like(labels)


def _resize(image: NDArray[Pixel], width: int, height: int) -> NDArray[Pixel]:
    """Nearest neighbour: class ids have no means."""
    if image.shape == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST), image.dtype)
