# SPDX-License-Identifier: Apache-2.0
"""The one path from a `Frame` to a `Prediction`, which the node, the command line and evaluation share."""

from __future__ import annotations

import hashlib
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import UNLABELLED
from perception.engines import Engine, find_model, load_engine
from perception.frame import MODALITIES, CameraModel, Frame, Prediction
from perception.sensors import encode, network_size, project


class Pipeline:
    """Encode → engine → decode. One caller at a time.

    engine: runs the network. model: the file that it runs.
    """

    def __init__(self, engine: Engine, model: Path) -> None:
        self.engine = engine
        self.model = model

    @classmethod
    def load(cls, model: str | Path | None = None, engine: str = "auto", threads: int | None = None) -> Pipeline:
        """A pipeline on trained weights.

        model: None for the shipped weights, the name of shipped weights, or the path of a .xml (OpenVINO) or
        .safetensors (PyTorch) file. engine: openvino, torch, or auto: the fastest that the model has a file for.
        threads: of the engine; None lets it choose. Raises ModelError.
        """
        name, path = find_model(model, engine)
        return cls(load_engine(name, path, threads), path)

    @property
    def weights_sha256(self) -> str:
        """SHA-256 of the file that holds the weights."""
        path = self.model.with_suffix(".bin") if self.model.suffix == ".xml" else self.model
        return hashlib.sha256(path.read_bytes()).hexdigest()

    def warm_up(self, width: int, height: int) -> None:
        """Prepare the engine for frames of `width`×`height`, so that the first one is no slower than the next."""
        rgb = np.zeros((height, width, 3), np.uint8)
        self(Frame(stamp_ns=0, rgb=rgb))

    def __call__(self, frame: Frame) -> Prediction:
        """Predict; labels have the size of the frame (`Frame.size`). The frame is left as it is."""
        started = perf_counter()
        width, height = frame.size
        network_input = encode(frame, *network_size(width, height))
        encoded = perf_counter()
        output = self.engine.infer(network_input)
        inferred = perf_counter()
        labels, confidence = (_resize(image, width, height) for image in (output.labels, output.confidence))
        prediction = Prediction(
            stamp_ns=frame.stamp_ns,
            labels=labels,
            confidence=confidence,
            modality_weights=dict(zip(MODALITIES, output.weights.tolist(), strict=True)),
            point_labels=_point_labels(frame, labels),
        )
        decoded = perf_counter()
        prediction.timings_ms = {
            "encode": 1e3 * (encoded - started),
            "infer": 1e3 * (inferred - encoded),
            "decode": 1e3 * (decoded - inferred),
        }
        return prediction


def _resize(image: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Nearest neighbour: class ids have no means."""
    if image.shape == (height, width):
        return image
    return np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _point_labels(frame: Frame, labels: NDArray[np.uint8]) -> NDArray[np.uint8] | None:
    """(N,) the label of the pixel that each point falls on."""
    if frame.points is None or frame.lidar_to_camera is None or frame.camera is None:
        return None
    height, width = labels.shape
    camera: CameraModel = frame.camera
    if (camera.width, camera.height) != (width, height):
        camera = camera.resized(width, height)
    projection = project(frame.points, frame.lidar_to_camera, camera)
    u, v = np.rint(projection.uv).astype(np.intp).T
    point_labels = np.full(len(frame.points), UNLABELLED, np.uint8)
    point_labels[projection.rows] = labels[v, u]
    return point_labels
