# SPDX-License-Identifier: Apache-2.0
"""Times what the roofline suggests: reshaped networks beside PIDNet-S, in float32 and INT8; weights are random.

    python benchmarks/reshape.py out/reshape.json docs/performance.md [ROUNDS]

Times are the processor's, of the one thread that runs a network, so that other processes take no part in them; the
shortest of ROUNDS (30 by default), in turns. Latency alone: what a shape costs in accuracy needs training.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from time import thread_time
from typing import Any

import numpy as np
from layers import INT8
from search import HEIGHT, WIDTH, Change, write_variant
from tables import fill

from perception.benchmark.int8 import quantise_model, quantise_peers
from perception.benchmark.measure import turns
from perception.benchmark.networks import REFERENCE
from perception.benchmark.peers import write_peer
from perception.benchmark.tables import Table
from perception.disk import write_json
from perception.engines.openvino import OpenVinoEngine
from perception.export.graph import export_openvino
from perception.sensors import NetworkInput

ROUNDS = 30
FLOAT = "f32"
SHIPPED = "shipped"


def together(*changes: Change) -> Change:
    """One change after the other."""

    def change(model: dict[str, Any]) -> None:
        for each in changes:
            each(model)

    return change


def rgb(**settings: Any) -> Change:
    """Other settings of the camera branch."""
    return lambda model: model["backbone"]["rgb"].update(settings)


def aux(**settings: Any) -> Change:
    """Other settings of the auxiliary branch."""
    return lambda model: model["backbone"]["aux"].update(settings)


def head(**settings: Any) -> Change:
    """Other settings of the decode head."""
    return lambda model: model["decode_head"].update(settings)


def coarser_aux(model: dict[str, Any]) -> None:
    """The auxiliary branch at half its resolution, from stride 8 on; its features are interpolated to the camera's."""
    model["backbone"]["aux_stem"].update(stride=4)


NARROW_HEAD = head(channels=32)
COARSE_HEAD = head(in_channels=(64, 128, 256), in_index=(1, 2, 3))
LEAN_HEAD = head(width=48, channels=32)
EMPTY_4 = rgb(hidden=((), (48, 32), (64, 32), (64, 64)))
VARIANTS: dict[str, Change] = {
    SHIPPED: lambda _model: None,
    "head: 32 channels at stride 4": NARROW_HEAD,
    "head: 48 channels at strides 8–32, 32 at stride 4": LEAN_HEAD,
    "head: ends at stride 8, labels at half size": COARSE_HEAD,
    "camera: no block at stride 4": EMPTY_4,
    "camera: 64 channels inside blocks at stride 8": rgb(hidden=((16,), (64, 64), (64, 32), (64, 64))),
    "camera: no 7×7 blocks": rgb(wide=None),
    "auxiliary: from stride 8 on": coarser_aux,
    "auxiliary: no 7×7 blocks": aux(wide=None),
    "auxiliary from stride 8 on, head: 32 channels at stride 4": together(coarser_aux, NARROW_HEAD),
    "auxiliary from stride 8 on, head: 48 and 32 channels": together(coarser_aux, LEAN_HEAD),
    "auxiliary from stride 8 on, head ends at stride 8": together(coarser_aux, COARSE_HEAD),
}


def measure(rounds: int) -> dict[str, dict[str, Any]]:
    """Milliseconds of each network by name and precision, and its ratio to PIDNet-S in the same."""
    rng = np.random.default_rng(0)
    given = NetworkInput(
        rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8),
        rng.integers(0, 256, (HEIGHT // 2, WIDTH // 2, 10), np.uint8),
        np.ones(4, np.float32),
    )
    with TemporaryDirectory() as scratch:
        engines = {}
        for key, path in _files(Path(scratch), given).items():
            engines[key] = OpenVinoEngine(path, threads=1, precision=FLOAT)
        shortest: dict[tuple[str, str], float] = {}
        for key, counts in turns(list(engines), rounds):
            began = thread_time()
            engines[key].infer(given)
            spent = (thread_time() - began) * 1e3
            if counts:
                shortest[key] = min(spent, shortest.get(key, spent))
    found: dict[str, dict[str, Any]] = {}
    for (name, precision), spent in shortest.items():
        found.setdefault(name, {})[precision] = {"ms": spent, "ratio": spent / shortest[REFERENCE, precision]}
    return found


def _files(folder: Path, given: NetworkInput) -> dict[tuple[str, str], Path]:
    """Every network in both precisions, exported, by name and precision."""
    peer = export_openvino(write_peer(REFERENCE, folder / "peer.safetensors"), folder / "peer")
    files = {(REFERENCE, FLOAT): peer, (REFERENCE, INT8): quantise_peers({REFERENCE: peer}, [given])[REFERENCE]}
    quantised = folder / "quantised"
    quantised.mkdir()
    for number, (name, change) in enumerate(VARIANTS.items()):
        path = write_variant(change, folder / f"{number}.safetensors")
        files[name, FLOAT] = export_openvino(path, path.with_suffix(""))
        files[name, INT8] = quantise_model(files[name, FLOAT], [given], quantised)
    return files


def table(found: Mapping[str, Mapping[str, Any]]) -> Table:
    """The figures in the order of VARIANTS; savings are shares of the shipped network's time."""
    rows = []
    for name in (*VARIANTS, REFERENCE):
        cells = []
        for precision in (FLOAT, INT8):
            figures = found[name][precision]
            saved = 1 - figures["ms"] / found[SHIPPED][precision]["ms"]
            cells += [f"{figures['ms']:.1f}", f"{figures['ratio']:.2f}", f"{saved:.0%}" if name != REFERENCE else ""]
        rows.append((name, *cells))
    columns = (f"{precision} {what}" for precision in (FLOAT, INT8) for what in ("ms", "/ PIDNet-S", "saved"))
    return Table("Reshaped networks, one thread", ("network", *columns), rows)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    document = Path(sys.argv[2])
    found = measure(int(sys.argv[3]) if len(sys.argv) == 4 else ROUNDS)
    write_json(Path(sys.argv[1]), found)
    document.write_text(fill(document.read_text("utf-8"), {"reshape": table(found)}), "utf-8")
    print(table(found).markdown())
