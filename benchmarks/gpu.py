# SPDX-License-Identifier: Apache-2.0
"""Times our network and its peers on an NVIDIA GPU, each with PyTorch's engine, and writes the table of a document.

    python benchmarks/gpu.py out/gpu.json docs/performance.md [KITTI_OBJECT]

Every network answers in turns, at batch 1 and 384×1248, with the copies to and from the GPU, as the node calls it: as a
CUDA graph, with `torch.compile` too, and, where ONNX Runtime has it, with TensorRT. KITTI_OBJECT: a folder in that
layout, whose frames tell how many labels are those of float32 on the CPU. Without a GPU the table comes from the JSON
file that was written on one. `benchmarks/gpu.sh` installs what is missing before.
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from tables import fill

from perception.benchmark.measure import interleave, ratio, summary
from perception.benchmark.peers import PEERS, write_peer
from perception.benchmark.tables import Table
from perception.datasets.registry import open_dataset
from perception.engines import find_model
from perception.engines.base import Engine
from perception.engines.pytorch import TorchEngine
from perception.errors import ModelError
from perception.export.graph import export_onnx
from perception.sensors import NetworkInput, encode
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.encode import AUX_SCALE, network_size

OURS, REFERENCE = "ours", "PIDNet-S"
COMPILED = (OURS, REFERENCE)
"""What is compiled too, and built for TensorRT: each takes half a minute to a few."""

ROUNDS = 300


def random_input() -> NetworkInput:
    """A full-size input of every sensor; time does not depend on what it shows."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (384, 1248, 3), np.uint8)
    aux = rng.integers(0, 256, (384 // AUX_SCALE, 1248 // AUX_SCALE, sum(AUX_CHANNELS.values())), np.uint8)
    return NetworkInput(rgb, aux, np.ones(1 + len(AUX_CHANNELS), np.float32))


def measure(weights: Path, frames: Path | None) -> dict[str, Any]:
    """Milliseconds of every network, and how many labels agree with the CPU's."""
    with TemporaryDirectory() as folder:
        files = {OURS: weights, **{name: write_peer(name, Path(folder) / f"{name}.safetensors") for name in PEERS}}
        engines: dict[str, Engine] = {name: TorchEngine(path, device="cuda") for name, path in files.items()}
        engines |= {f"{name}, compiled": TorchEngine(files[name], device="cuda", compiled=True) for name in COMPILED}
        engines |= tensorrt_engines({name: files[name] for name in COMPILED}, Path(folder))
    example = random_input()
    times = interleave({name: partial(engine.infer, example) for name, engine in engines.items()}, ROUNDS)
    found: dict[str, Any] = {"gpu": torch.cuda.get_device_name(), "engine": engines[OURS].name, "networks": {}}
    for name, spent in times.items():
        _, comma, way = name.partition(", ")
        reference = times[REFERENCE + comma + way]
        found["networks"][name] = {**summary(spent), "ratio": ratio(spent, reference)}
    if frames:
        found["agreement"] = agreement(weights, {n: engines[n] for n in engines if n.startswith(OURS)}, frames)
    return found


def tensorrt_engines(files: dict[str, Path], folder: Path) -> dict[str, Engine]:
    """Each weights file exported to ONNX and built by TensorRT; empty, with a word, where TensorRT is not installed."""
    try:
        from perception.engines.tensorrt import TensorRtEngine

        return {
            f"{name}, tensorrt": TensorRtEngine(export_onnx(file, folder / f"{name}.onnx"))
            for name, file in files.items()
        }
    except (ImportError, ModelError) as error:
        print(f"without TensorRT: {error}", file=sys.stderr)
        return {}


def agreement(weights: Path, engines: dict[str, Engine], frames: Path) -> dict[str, float]:
    """The share of pixels with the CPU's label, over all frames, by engine."""
    cpu = TorchEngine(weights, device="cpu")
    inputs = [
        encode(sample.frame, *network_size(*sample.frame.size)) for sample in open_dataset("kitti-object", frames)
    ]
    expected = [cpu.infer(each).labels for each in inputs]
    return {
        name: float(np.mean([(engine.infer(x).labels == y).mean() for x, y in zip(inputs, expected, strict=True)]))
        for name, engine in engines.items()
    }


def table(found: dict[str, Any]) -> Table:
    """A row per network."""
    agreed = found.get("agreement", {})
    rows = [
        (
            name,
            f"{figures['median']:.2f}",
            f"{figures['p99']:.2f}",
            f"{figures['ratio']:.2f}",
            f"{agreed[name]:.2%}" if name in agreed else "",
        )
        for name, figures in found["networks"].items()
    ]
    title = f"{found['gpu']}, {found['engine']}"
    return Table(title, [title, "median ms", "p99 ms", f"/ {REFERENCE}", "labels as on the CPU"], rows)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    report, document = Path(sys.argv[1]), Path(sys.argv[2])
    if torch.cuda.is_available():
        found = measure(find_model(None, "torch")[1], Path(sys.argv[3]) if len(sys.argv) > 3 else None)
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(json.dumps(found, indent=1) + "\n", "utf-8")
    found = json.loads(report.read_text("utf-8"))
    document.write_text(fill(document.read_text("utf-8"), {"gpu": table(found)}), "utf-8")
    print(table(found).markdown())
