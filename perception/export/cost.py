# SPDX-License-Identifier: Apache-2.0
"""What a network costs, whatever runs it: parameters and multiply-accumulates."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import torch
from torch.utils.flop_counter import FlopCounterMode

from perception.engines.weights import build_model
from perception.export.graph import example_input
from perception.models.deploy import DeployGraph

HEIGHT, WIDTH = 384, 1248
"""Of a frame of KITTI's as networks get it."""


class Cost(NamedTuple):
    """parameters: without those of auxiliary heads, which only training has. gmac: multiply-accumulates of a frame of
    HEIGHT×WIDTH with every sensor of the network, in 10⁹, as the graph is exported."""

    parameters: int
    gmac: float
    sensors: tuple[str, ...]


def cost_of(weights: Path) -> Cost:
    """Of the network of a .safetensors file. Raises ModelError as `build_model` does."""
    model = build_model(weights)
    parameters = sum(
        values.numel() for name, values in model.named_parameters() if not name.startswith("auxiliary_head")
    )
    graph = DeployGraph(model).eval()
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        graph(*example_input(graph.sensors, HEIGHT, WIDTH))
    return Cost(parameters, float(counter.get_total_flops()) / 2e9, graph.sensors)
