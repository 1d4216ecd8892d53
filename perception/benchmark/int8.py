# SPDX-License-Identifier: Apache-2.0
"""Every network in INT8, for its latency: calibrated with the benchmark's frames, by NNCF, which must be installed."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import nncf
import openvino

from perception.engines.openvino import INPUTS, OpenVinoEngine
from perception.export.int8 import quantise
from perception.sensors import NetworkInput
from perception.sensors.encode import for_sensors

TRANSFORMERS = ("SegFormer-B0",)
"""Peers for which NNCF has a special mode."""


def quantise_model(model: Path, inputs: Sequence[NetworkInput], folder: Path) -> Path:
    """Our float network `model` in INT8, by our own recipe; the new file lies in `folder`."""
    for path in (model, model.with_suffix(".bin")):
        shutil.copy(path, folder)
    return quantise(folder / model.name, inputs)


def quantise_peers(
    peers: Mapping[str, Path], inputs: Sequence[NetworkInput], on_peer: Callable[[], None] = lambda: None
) -> dict[str, Path]:
    """The peers in INT8, by name, beside their float files; NNCF's fastest recipe. on_peer: called after each."""
    nncf.set_log_level(logging.ERROR)
    quantised = {}
    for name, path in peers.items():
        sensors = OpenVinoEngine(path).sensors
        given = [for_sensors(each, sensors) for each in inputs]
        model = nncf.quantize(
            openvino.Core().read_model(path),
            nncf.Dataset(given, lambda x: {name: getattr(x, name)[None] for name in INPUTS}),
            preset=nncf.QuantizationPreset.MIXED,
            subset_size=len(inputs),
            model_type=nncf.ModelType.TRANSFORMER if name in TRANSFORMERS else None,
        )
        quantised[name] = path.with_name(f"{path.stem}_int8.xml")
        openvino.save_model(model, quantised[name])
        on_peer()
    return quantised
