# SPDX-License-Identifier: Apache-2.0
"""From trained weights to an engine's file, checked against PyTorch on the way."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import openvino
import torch

from perception.engines.base import Engine
from perception.engines.openvino import INPUTS, OpenVinoEngine
from perception.engines.pytorch import TorchEngine
from perception.engines.weights import build_model
from perception.errors import ModelError
from perception.models.deploy import DeployGraph
from perception.sensors import NetworkInput
from perception.sensors.channels import AUX_CHANNELS
from perception.sensors.encode import AUX_SCALE

MIN_AGREEMENT = 0.999
"""Share of pixels on which an exported engine must give PyTorch's label."""


def export_openvino(weights: str | Path, output: str | Path) -> Path:
    """Write the OpenVINO form of a .safetensors file: `output`.xml and .bin, any input size, weights in float16.

    Raises ModelError for weights that cannot be read.
    """
    graph = DeployGraph(build_model(weights)).eval()
    height, width, channels = 128, 256, sum(AUX_CHANNELS.values())
    example = (
        torch.zeros(1, height, width, 3, dtype=torch.uint8),
        torch.zeros(1, height // AUX_SCALE, width // AUX_SCALE, channels, dtype=torch.uint8),
        torch.ones(1, 1 + len(AUX_CHANNELS)),
    )
    shapes = [[1, -1, -1, 3], [1, -1, -1, channels], list(example[2].shape)]
    with warnings.catch_warnings(), torch.inference_mode():
        warnings.simplefilter("ignore")  # the tracer's remarks on shapes that are meant to be fixed
        model = openvino.convert_model(graph, example_input=example, input=shapes)
    for port, name in zip(model.inputs, INPUTS, strict=True):
        port.tensor.set_names({name})
    output = Path(output).with_suffix(".xml")
    output.parent.mkdir(parents=True, exist_ok=True)
    openvino.save_model(model, output, compress_to_fp16=True)
    return output


def label_agreement(reference: Engine, other: Engine, inputs: Iterable[NetworkInput]) -> float:
    """Share of pixels, over all `inputs`, to which both engines give the same label."""
    same = total = 0
    for network_input in inputs:
        labels = reference.infer(network_input).labels
        same += int(np.count_nonzero(labels == other.infer(network_input).labels))
        total += labels.size
    return same / total


def check_parity(weights: Path, exported: Path, inputs: Iterable[NetworkInput]) -> float:
    """The label agreement of an exported file with its weights; ModelError below MIN_AGREEMENT."""
    agreement = label_agreement(TorchEngine(weights, device="cpu"), OpenVinoEngine(exported), inputs)
    if agreement < MIN_AGREEMENT:
        raise ModelError(
            f"{exported}: labels agree with {weights} on {agreement:.3%}, at least {MIN_AGREEMENT:.1%} is needed"
        )
    return agreement
