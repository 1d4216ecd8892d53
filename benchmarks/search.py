# SPDX-License-Identifier: Apache-2.0
"""Times variants of the shipped network beside PIDNet-S, in turns, in the engine that runs them; weights are random.

    python benchmarks/search.py out/search.json docs/performance.md

Writes the figures and the document's table. Latency alone: accuracy needs training.
"""

from __future__ import annotations

import copy
import json
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from mmengine.config import Config
from tables import fill

from perception.benchmark.measure import interleave, ratio, summary
from perception.benchmark.networks import REFERENCE
from perception.benchmark.peers import write_peer, write_untrained
from perception.benchmark.tables import Table
from perception.engines.openvino import OpenVinoEngine
from perception.export.graph import export_openvino
from perception.paths import config_path
from perception.sensors import NetworkInput

HEIGHT, WIDTH = 384, 1248
FULL = ((32,), (64, 64), (128, 128), (256, 256))
AUX_FULL = ((24,), (32,), (64,), (96,))
Change = Callable[[dict[str, Any]], None]


def blocks(hidden: Any, aux: Any = AUX_FULL, wide: Any = None) -> Change:
    """Other widths inside the blocks of both branches, and wide-kernel blocks in the camera's."""

    def change(model: dict[str, Any]) -> None:
        model["backbone"]["rgb"].update(hidden=hidden, wide=wide)
        model["backbone"]["aux"].update(hidden=aux, wide=None)

    return change


def configured(name: str) -> Change:
    """The model of another config."""
    return lambda model: model.update(Config.fromfile(config_path(name)).model.to_dict())


def stages(channels: Any, aux: Any, stem: Any = (16, 32)) -> Change:
    """Other widths of the stages; blocks are as wide as their stage."""

    def change(model: dict[str, Any]) -> None:
        backbone, head = model["backbone"], model["decode_head"]
        hidden = tuple((c,) * len(h) for c, h in zip(channels, FULL, strict=True))
        backbone["rgb"].update(stem=stem, channels=channels, hidden=hidden, wide=None)
        backbone["aux"].update(channels=aux, hidden=tuple((c,) for c in aux), wide=None)
        backbone.update(rgb_channels=channels, aux_channels=aux)
        head.update(in_channels=channels)

    return change


def head(width: int, channels: int = 32) -> Change:
    """Another width of the decode head, with full blocks."""

    def change(model: dict[str, Any]) -> None:
        blocks(FULL)(model)
        model["decode_head"].update(width=width, channels=channels)

    return change


def fusion(name: str) -> Change:
    """Another fusion, with full blocks."""

    def change(model: dict[str, Any]) -> None:
        blocks(FULL)(model)
        model["backbone"].update(fusion=dict(type=name))

    return change


PRUNED = ((16,), (48, 32), (64, 32), (64, 64))
GROWN = ((16,), (48, 48), (96, 64), (128, 128))
HALF = ((16,), (32, 32), (64, 64), (128, 128))
VARIANTS: dict[str, Change] = {
    "shipped": lambda _model: None,
    "full blocks": blocks(FULL),
    "dual_branch_m, from which it was pruned": configured("networks/dual_branch_m.py"),
    "pruned": blocks(PRUNED, wide=(0, 0, 1, 1)),
    "pruned, 7×7 blocks: 1, 3, 3 at strides 8–32": blocks(PRUNED, wide=(0, 1, 3, 3)),
    "pruned, 7×7 blocks: 5, 5 at strides 16, 32": blocks(PRUNED, wide=(0, 0, 5, 5)),
    "grown inside": blocks(GROWN, wide=(0, 0, 1, 1)),
    "grown inside twice as much": blocks(((24,), (64, 48), (128, 96), (192, 192)), wide=(0, 0, 2, 2)),
    "pruned, a third block at strides 8–32": blocks(
        ((16,), (48, 32, 32), (64, 32, 32), (64, 64, 64)), wide=(0, 0, 1, 1)
    ),
    "blocks half as wide inside": blocks(HALF),
    "half, and a 7×7 block at strides 16, 32": blocks(HALF, wide=(0, 0, 1, 1)),
    "a quarter": blocks(((16,), (16, 16), (32, 32), (64, 64))),
    "half in the auxiliary branch only": blocks(FULL, ((16,), (16,), (32,), (48,))),
    "auxiliary branch two thirds as wide": stages((32, 64, 128, 256), (16, 24, 48, 64)),
    "camera's stages three quarters as wide": stages((24, 48, 96, 192), (24, 32, 64, 96), (16, 24)),
    "one block per stage": blocks(((32,), (64,), (128,), (256,))),
    "one block per stage, three 7×7 at strides 8–32": blocks(((32,), (64,), (128,), (256,)), wide=(0, 1, 1, 1)),
    "decode head 48 wide": head(48),
    "decode head 32 wide": head(32),
    "decode head 128 wide": head(128),
    **{f"{name}": fusion(name) for name in ("AddFusion", "SEFusion", "CBAMFusion", "CrossAttentionFusion")},
}


def write_variant(change: Change, path: Path) -> Path:
    """Write a variant of the shipped network, with random weights, to the .safetensors file `path`, and return it."""
    model = copy.deepcopy(Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict())
    change(model)
    return write_untrained(model, path)


def search(rounds: int = 20, threads: int = 2) -> dict[str, dict[str, Any]]:
    """Milliseconds of each variant by name, and its ratio to PIDNet-S."""
    rng = np.random.default_rng(0)
    network_input = NetworkInput(
        rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8),
        rng.integers(0, 256, (HEIGHT // 2, WIDTH // 2, 10), np.uint8),
        np.ones(4, np.float32),
    )
    with TemporaryDirectory() as scratch:
        folder = Path(scratch)
        weights = {REFERENCE: write_peer(REFERENCE, folder / "peer.safetensors")}
        for number, (name, change) in enumerate(VARIANTS.items()):
            weights[name] = write_variant(change, folder / f"{number}.safetensors")
        engines = {
            name: OpenVinoEngine(export_openvino(path, path.with_suffix("")), threads) for name, path in weights.items()
        }
        times = interleave({name: partial(engine.infer, network_input) for name, engine in engines.items()}, rounds)
    return {name: {**summary(spent), "ratio": ratio(spent, times[REFERENCE])} for name, spent in times.items()}


def table(figures: dict[str, dict[str, Any]]) -> Table:
    """The figures, fastest first."""
    ordered = sorted(figures.items(), key=lambda item: item[1]["ratio"])
    rows = [(name, f"{figure['median']:.1f}", f"{figure['ratio']:.2f}") for name, figure in ordered]
    return Table("Variants of the network", ("variant", "ms", "/ PIDNet-S"), rows)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    report, document = map(Path, sys.argv[1:])
    figures = search()
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    document.write_text(fill(document.read_text("utf-8"), {"search": table(figures)}), "utf-8")
    print(table(figures).markdown())
