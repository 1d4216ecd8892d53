# SPDX-License-Identifier: Apache-2.0
"""Our network beside its peers: same input, engine, threads and precision, in turns."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perception.benchmark.measure import interleave, ratio, summary
from perception.engines.openvino import OpenVinoEngine
from perception.sensors import NetworkInput

OURS = "ours"
OURS_RGB = "ours, camera alone"
REFERENCE = "PIDNet-S"
"""What every ratio compares with."""


def export_peers(folder: Path, on_peer: Callable[[str], None] = lambda name: None) -> dict[str, Path]:
    """Build every peer with random weights and export it; OpenVINO files in `folder` by name. Needs torch and mmseg.

    on_peer is told of each before its turn.
    """
    from perception.benchmark.peers import PEERS, write_peer
    from perception.engines.export import export_openvino

    exported = {}
    for name in PEERS:
        on_peer(name)
        exported[name] = export_openvino(write_peer(name, folder / f"{name}.safetensors"), folder / f"{name}.xml")
    return exported


def compare(
    model: Path,
    peers: Mapping[str, Path],
    network_input: NetworkInput,
    threads: int | None,
    precision: str,
    rounds: int,
    on_call: Callable[[], None] = lambda: None,
) -> dict[str, dict[str, Any]]:
    """Milliseconds of each network by name (see `measure.summary`); `ratio` is its time to REFERENCE's.

    model, peers: OpenVINO files. network_input: with every sensor; OURS_RGB is ours on the camera alone. ratio is None
    where REFERENCE is not among the peers.
    """
    files = {OURS: model, **peers}
    engines = {name: OpenVinoEngine(path, threads, precision=precision) for name, path in files.items()}
    calls: dict[str, Callable[[], Any]] = {
        name: partial(engine.infer, network_input) for name, engine in engines.items()
    }
    calls[OURS_RGB] = partial(engines[OURS].infer, camera_alone(network_input))
    times = interleave(calls, rounds, on_call=on_call)
    reference = times.get(REFERENCE)
    return {
        name: {**summary(spent), "ratio": ratio(spent, reference) if reference else None}
        for name, spent in times.items()
    }


def camera_alone(network_input: NetworkInput) -> NetworkInput:
    """The same input without any sensor but the camera."""
    present = np.zeros_like(network_input.present)
    present[0] = 1
    return NetworkInput(network_input.rgb, np.zeros_like(network_input.aux), present)
