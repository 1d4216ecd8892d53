# SPDX-License-Identifier: Apache-2.0
"""Sweeps biases of logits, writes the tables of a document and, where asked, weights that have such biases.

    python benchmarks/biases.py WEIGHTS DATA docs/accuracy.md [OUTPUT.safetensors pedestrian=BIAS vehicle=BIAS]

Training counts pedestrians and vehicles more than they are: class weights, crops placed on them, pasted ones. What the
network then sees too often is taken back here, without training (logit adjustment, Menon et al., ICLR 2021). A bias is
chosen on streets that neither training nor the evaluation has, and on training frames of real sets, never on what is
reported.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accuracy_tables import NAMES
from numpy.typing import NDArray
from precisions import thinned
from rich.progress import track
from tables import fill

from perception.benchmark.tables import Table
from perception.classes import FOREGROUND
from perception.datasets.registry import open_dataset
from perception.engines.weights import build_model, load_weights, save_weights
from perception.evaluation.evaluate import evaluate, fit, truth_of
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.frame import Frame, Prediction
from perception.models import Batch
from perception.models.light_fpn_head import SUBPIXELS
from perception.sample import Sample
from perception.sensors import encode
from perception.sensors.encode import network_size
from perception.sensors.presence import keep_modalities
from perception.simulation import SimulatedDrives

Rows = dict[str, list[float]]
"""IoU by bias, in the order of BIASES, by what is added to the set's name."""

SWEPT = ("pedestrian", "vehicle")
BIASES = (-0.6, -0.45, -0.35, -0.25, -0.15, 0.0, 0.15)
SEEDS, FRAMES, EACH = range(8000, 8006), 100, 12
CONDITIONS = ("day", "dusk", "night", "fog", "rain")
REAL = {"camvid": ("camvid", 6), "idd-lite": ("idd_lite", 20), "kitti-frames": ("kitti_frustum", 3)}
"""Folders, and every which training frame is taken."""


def sets(data: Path) -> dict[str, tuple[Sequence[Sample], Sequence[str] | None]]:
    """Samples and the modalities to keep, by name."""
    streets = [s for name in CONDITIONS for s in thinned(SimulatedDrives(SEEDS, name, FRAMES), EACH)]
    found: dict[str, tuple[Sequence[Sample], Sequence[str] | None]] = {
        "streets, every sensor": (streets, None),
        "streets, camera alone": (streets, ["rgb"]),
        "streets, without camera": (streets, ["depth", "infrared", "lidar"]),
    }
    for name, (folder, step) in REAL.items():
        if (data / folder).is_dir():
            samples = open_dataset(name, data / folder, "train")
            found[f"{name}, train"] = [samples[i] for i in range(0, len(samples), step)], None
    return found


def sweep(model: torch.nn.Module, samples: Sequence[Sample], kept: Sequence[str] | None) -> dict[str, Rows]:
    """By swept class, its IoU by bias: at pixels, and at LiDAR points where any sample has truth there."""
    pixels = {(name, bias): ConfusionMatrix() for name in SWEPT for bias in BIASES}
    points = {each: ConfusionMatrix() for each in pixels}
    for sample in track(samples, "sweeping", transient=True):
        logits = logits_of(model, keep_modalities(sample.frame, kept) if kept else sample.frame)
        truth = truth_of(sample)
        assert truth is not None
        for name, bias in pixels:
            adjusted = logits.copy()
            adjusted[FOREGROUND[name]] += bias
            labels = fit(adjusted.argmax(0).astype(np.uint8), truth)
            pixels[name, bias].update(labels, truth)
            if sample.point_labels is not None:
                seen = Prediction(0, labels, np.zeros_like(labels), {})
                points[name, bias].add(evaluate(partial(_already, seen), [sample]).point_confusion)
    kinds = {"": pixels, ", LiDAR points": points}
    return {
        name: {
            suffix: [found[name, bias].iou()[name] for bias in BIASES]
            for suffix, found in kinds.items()
            if found[name, 0.0].pixels
        }
        for name in SWEPT
    }


def _already(prediction: Prediction, _frame: Frame) -> Prediction:
    return prediction


def logits_of(model: Any, frame: Any) -> NDArray[np.float32]:
    """(K, h, w) at the network's size."""
    seen = encode(frame, *network_size(*frame.size))
    rgb, aux = (torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() for image in (seen.rgb, seen.aux))
    with torch.inference_mode():
        features = model.extract_feat(Batch(rgb, aux, torch.from_numpy(seen.present)[None]))
        return np.asarray(model.decode_head(features)[0], np.float32)


def shifted(weights: Path, biases: Mapping[str, float], output: Path) -> None:
    """The same weights with `biases`, by class, on the logits."""
    state, config = load_weights(weights)
    cells = SUBPIXELS**2
    shift = state["decode_head.conv_seg.bias"].clone()
    for name, bias in biases.items():
        shift[FOREGROUND[name] * cells : (FOREGROUND[name] + 1) * cells] += bias
    save_weights(output, {**state, "decode_head.conv_seg.bias": shift}, config)


def main(arguments: list[str]) -> None:
    """Sweep, write the document, then the weights."""
    weights, data, document = map(Path, arguments[:3])
    chosen = {name: float(bias) for name, bias in (argument.split("=") for argument in arguments[4:])}
    model = build_model(weights).eval()
    found = {title: sweep(model, *what) for title, what in sets(data).items()}
    made = {}
    for name in SWEPT:
        rows = [
            (title + suffix, *(f"{iou:.3f}" for iou in ious))
            for title, by_class in found.items()
            for suffix, ious in by_class[name].items()
        ]
        made[f"biases_{name}"] = Table("Biases", (f"{name} IoU", *(f"{bias:+.2f}" for bias in BIASES)), rows)
        print(made[f"biases_{name}"].markdown())
    document.write_text(fill(document.read_text("utf-8"), made, NAMES), "utf-8")
    if chosen:
        shifted(weights, chosen, Path(arguments[3]))


if __name__ == "__main__":
    if len(sys.argv) < 4 or len(sys.argv) == 5:  # an output without a bias
        sys.exit(__doc__)
    main(sys.argv[1:])
