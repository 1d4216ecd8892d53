# SPDX-License-Identifier: Apache-2.0
"""Our network beside its peers: same input, engine, threads and precision, in turns."""

from __future__ import annotations

import time
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
"""The reference of every ratio."""

SETTLE_S = 2.0
"""Longest time for an engine to prepare for an input without some sensors; meanwhile it goes on answering."""


def export_peers(folder: Path, on_peer: Callable[[], None] = lambda: None) -> dict[str, Path]:
    """Build every peer with random weights and export it; OpenVINO files in `folder` by name. Needs torch and mmseg.

    on_peer is called after each.
    """
    from perception.benchmark.peers import PEERS, write_peer
    from perception.export.graph import export_openvino

    exported = {}
    for name in PEERS:
        exported[name] = export_openvino(write_peer(name, folder / f"{name}.safetensors"), folder / f"{name}.xml")
        on_peer()
    return exported


def compare(
    model: Path,
    peers: Mapping[str, Path],
    network_input: NetworkInput,
    threads: int | None,
    precision: str | None,
    rounds: int,
    on_call: Callable[[], None] = lambda: None,
    own_input: NetworkInput | None = None,
) -> dict[str, dict[str, Any]]:
    """Milliseconds of each network by name (see `measure.summary`); `ratio` is its time to REFERENCE's.

    model, peers: OpenVINO files. network_input: with every sensor; OURS_RGB is ours on the camera alone. precision: of
    the arithmetic in floats, see `OpenVinoEngine`. ratio is None where REFERENCE is not among the peers. own_input: the
    same frame for ours, where that runs at another resolution.
    """
    own_input = own_input or network_input
    files = {OURS: model, OURS_RGB: model, **peers}
    engines = {name: OpenVinoEngine(path, threads, precision=precision) for name, path in files.items()}
    own = {OURS: own_input, OURS_RGB: camera_alone(own_input)}
    inputs = {name: own.get(name, network_input) for name in files}
    calls = {name: partial(engine.infer, inputs[name]) for name, engine in engines.items()}
    _settle(calls[OURS_RGB])
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


def _settle(call: Callable[[], Any]) -> None:
    began = time.monotonic()
    while time.monotonic() - began < SETTLE_S:
        call()
