# SPDX-License-Identifier: Apache-2.0
"""YOLOv8n-seg of Ultralytics, whose package is under the AGPL-3.0: the only module that imports it.

Whoever passes on a program that uses the package, or lets others use it over a network, must offer the whole program's
source under the same licence, unless Ultralytics sold another one; Ultralytics says the same of weights that its
package trained. Nothing here imports this module unless that network is asked for by its name.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cv2
import numpy as np
import yaml
from numpy.typing import NDArray

from perception.errors import ModelError
from perception.training.baselines.examples import Examples
from perception.training.baselines.job import BaselineOptions

# Read when the package is imported: nothing is fetched, nothing installed, nothing told to anybody.
os.environ.setdefault("YOLO_OFFLINE", "true")
os.environ.setdefault("YOLO_AUTOINSTALL", "false")

from ultralytics import YOLO

ITERATIONS, BATCH_SIZE = 2000, 8

SIDE = 640
"""Pixels of the square that it sees."""

FEW = 8
"""Images on which the package looks at itself at the end."""

NETWORK = "yolov8n-seg.yaml"

WEIGHTS = "weights.pt"

THRESHOLD = 0.25
"""The package's own."""


def train(examples: Examples, options: BaselineOptions, path: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Train and export to `path`, with the weights beside it; returns the description."""
    say("Ultralytics' package, and what it trains, are under the AGPL-3.0 (docs/export.md)")
    with TemporaryDirectory(prefix=".yolo-", dir=options.output) as scratch:
        folder = Path(scratch)
        content = write_data(examples, folder)
        batch_size = options.batch_size or BATCH_SIZE
        epochs = math.ceil((options.iterations or ITERATIONS) * batch_size / len(examples))
        say(f"{epochs} epochs of {len(examples)} images")
        network = YOLO(options.init or NETWORK, task="segment")
        # amp: it would fetch weights to try it on. fonts, plots: the same for a font.
        network.train(
            data=str(content),
            epochs=epochs,
            batch=batch_size,
            imgsz=SIDE,
            seed=options.seed,
            workers=options.workers,
            pretrained=options.init is not None,
            project=str(folder),
            name="run",
            amp=False,
            plots=False,
            val=False,
            **({"lr0": options.learning_rate, "optimizer": "SGD"} if options.learning_rate else {}),
        )
        trained = folder / "run/weights/last.pt"
        if not trained.is_file():
            raise ModelError(f"{NETWORK}: the training left no weights")
        exported = YOLO(trained, task="segment").export(format="onnx", imgsz=SIDE, simplify=False, opset=17)
        shutil.move(exported, path)
        shutil.move(trained, path.with_name(WEIGHTS))
    return description(examples.names)


def description(names: tuple[str, ...]) -> dict[str, Any]:
    """Of an .onnx that the package exports."""
    return {
        "inputs": {"images": {"channels": ["red", "green", "blue"], "scale": "1/255", "mean": [0] * 3, "std": [1] * 3}},
        "layout": "NCHW",
        "size": [SIDE, SIDE],
        "fit": "letterbox",
        "outputs": {"kind": "yolo", "predictions": "output0", "prototypes": "output1"},
        "names": list(names),
        "threshold": THRESHOLD,
    }


def write_data(examples: Examples, folder: Path) -> Path:
    """The examples as the package reads them, and the YAML about them: images/*.png, and labels/*.txt with the class
    and the outline of each thing."""
    for name in ("images", "labels"):
        (folder / name).mkdir(parents=True)
    images = []
    for index in range(len(examples)):
        example = examples[index]
        images.append(folder / f"images/{index:06d}.png")
        cv2.imwrite(f"{images[-1]}", example.image[:, :, ::-1])
        lines = [
            " ".join((str(examples.kinds.index(kind)), *(f"{value:.6f}" for value in outline(mask))))
            for kind, mask in zip(example.kinds.tolist(), example.masks, strict=True)
        ]
        (folder / f"labels/{index:06d}.txt").write_text("\n".join(lines) + "\n", "utf-8")
    (folder / "train.txt").write_text("\n".join(map(str, images)) + "\n", "utf-8")
    (folder / "val.txt").write_text("\n".join(map(str, images[:FEW])) + "\n", "utf-8")
    content = {"path": str(folder), "train": "train.txt", "val": "val.txt", "names": dict(enumerate(examples.names))}
    path = folder / "data.yaml"
    path.write_text(yaml.safe_dump(content), "utf-8")
    return path


def outline(mask: NDArray[np.bool_]) -> list[float]:
    """x and y, as shares of the sides, of one polygon about every part of a mask: from one to the next and back again,
    as the package has no other way to say that they are one thing."""
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    parts = sorted((contour[:, 0] for contour in contours), key=len, reverse=True)
    points = list(parts[0])
    for part in parts[1:]:
        points += [*part, part[0], parts[0][-1]]
    while len(points) < 3:
        points.append(points[-1])
    height, width = mask.shape
    corners = (np.array(points) + 0.5) / [width, height]
    return [float(value) for value in corners.ravel()]
