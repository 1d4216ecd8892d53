# SPDX-License-Identifier: Apache-2.0
"""Sweeps a bias of the pedestrian's logits, writes the table of a document and, where asked, weights that have it.

    python benchmarks/biases.py WEIGHTS DATA docs/accuracy.md [BIAS OUTPUT.safetensors]

Training counts pedestrians more than they are: class weights, crops placed on them, pasted ones. What the network then
sees too often is taken back here, without training (logit adjustment, Menon et al., ICLR 2021). The bias is chosen on
streets that neither training nor the evaluation has, and on training frames of real sets, never on what is reported.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from accuracy_tables import NAMES
from numpy.typing import NDArray
from precisions import thinned
from rich.progress import track
from tables import fill

from perception.benchmark.tables import Table
from perception.classes import PEDESTRIAN
from perception.datasets.registry import open_dataset
from perception.engines.weights import build_model, load_weights, save_weights
from perception.evaluation.evaluate import keep_modalities, truth_of
from perception.evaluation.metrics import ConfusionMatrix
from perception.models import Batch
from perception.models.light_fpn_head import SUBPIXELS
from perception.pipeline import network_size
from perception.sample import Sample
from perception.sensors import encode
from perception.simulation import SimulatedDrives

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


def sweep(model: torch.nn.Module, samples: Sequence[Sample], kept: Sequence[str] | None) -> dict[float, float]:
    """The pedestrian's IoU by bias."""
    confusions = {bias: ConfusionMatrix() for bias in BIASES}
    for sample in track(samples, "sweeping", transient=True):
        logits = logits_of(model, keep_modalities(sample.frame, kept) if kept else sample.frame)
        truth = truth_of(sample)
        assert truth is not None
        for bias, confusion in confusions.items():
            adjusted = logits.copy()
            adjusted[PEDESTRIAN] += bias
            labels = adjusted.argmax(0).astype(np.uint8)
            size = (truth.shape[1], truth.shape[0])
            confusion.update(np.asarray(cv2.resize(labels, size, interpolation=cv2.INTER_NEAREST), np.uint8), truth)
    return {bias: confusion.iou()["pedestrian"] for bias, confusion in confusions.items()}


def logits_of(model: Any, frame: Any) -> NDArray[np.float32]:
    """(K, h, w) at the network's size."""
    seen = encode(frame, *network_size(*frame.size))
    images = [torch.from_numpy(image.transpose(2, 0, 1).copy())[None].float() for image in (seen.rgb, seen.aux)]
    with torch.inference_mode():
        features = model.extract_feat(Batch(*images, torch.from_numpy(seen.present)[None]))
        return np.asarray(model.decode_head(features)[0], np.float32)


def shifted(weights: Path, bias: float, output: Path) -> None:
    """The same weights with `bias` on the pedestrian's logits."""
    state, config = load_weights(weights)
    cells = SUBPIXELS**2
    biases = state["decode_head.conv_seg.bias"].clone()
    biases[PEDESTRIAN * cells : (PEDESTRIAN + 1) * cells] += bias
    save_weights(output, {**state, "decode_head.conv_seg.bias": biases}, config)


def main(arguments: list[str]) -> None:
    """Sweep, write the document, then the weights."""
    weights, data, document = map(Path, arguments[:3])
    model = build_model(weights).eval()
    found = {name: sweep(model, *what) for name, what in sets(data).items()}
    rows = [(name, *(f"{iou:.3f}" for iou in by_bias.values())) for name, by_bias in found.items()]
    table = Table("Biases", ("pedestrian IoU", *(f"{bias:+.2f}" for bias in BIASES)), rows)
    print(table.markdown())
    document.write_text(fill(document.read_text("utf-8"), {"biases": table}, NAMES), "utf-8")
    if len(arguments) == 5:
        shifted(weights, float(arguments[3]), Path(arguments[4]))


if __name__ == "__main__":
    if len(sys.argv) not in (4, 6):
        sys.exit(__doc__)
    main(sys.argv[1:])
