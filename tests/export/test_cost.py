# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.training.compared import write_networks
from torch import Tensor, nn, no_grad

from perception.benchmark.peers import write_untrained
from perception.engines.weights import build_model
from perception.export.cost import HEIGHT, WIDTH, cost_of
from perception.export.graph import example_input
from perception.models.custom import read_config
from perception.models.deploy import DeployGraph


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_the_sum_over_the_convolutions(which: int, tmp_path: Path) -> None:
    config = read_config(write_networks(tmp_path)[which])
    weights = write_untrained(config.model.to_dict(), tmp_path / "w.safetensors")
    found = cost_of(weights)
    model = build_model(weights)
    assert found.parameters == sum(values.numel() for values in model.parameters())
    assert found.sensors == (("rgb",), ("rgb", "depth", "infrared", "lidar"))[which]

    counts: list[int] = []

    def count(layer: nn.Conv2d, _given: object, made: Tensor) -> None:
        counts.append(made.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1])

    graph = DeployGraph(model).eval()
    for layer in graph.modules():
        if isinstance(layer, nn.Conv2d):
            layer.register_forward_hook(count)
    with no_grad():
        graph(*example_input(graph.sensors, HEIGHT, WIDTH))
    assert found.gmac == pytest.approx(sum(counts) / 1e9, rel=0.01)
