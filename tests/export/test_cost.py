# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.training.compared import write_networks  # noqa: E402

from perception.benchmark.peers import write_untrained  # noqa: E402
from perception.export.cost import HEIGHT, WIDTH, cost_of  # noqa: E402
from perception.export.graph import example_input  # noqa: E402
from perception.models.custom import read_config  # noqa: E402
from perception.models.deploy import DeployGraph  # noqa: E402


@pytest.mark.parametrize("which", [0, 1])
def test_it_is_the_sum_over_the_convolutions(which: int, tmp_path: Path) -> None:
    from perception.engines.weights import build_model

    config = read_config(write_networks(tmp_path)[which])
    weights = write_untrained(config.model.to_dict(), tmp_path / "w.safetensors")
    found = cost_of(weights)
    model = build_model(weights)
    assert found.parameters == sum(values.numel() for values in model.parameters())
    assert found.sensors == (("rgb",), ("rgb", "depth", "infrared", "lidar"))[which]

    counts: list[int] = []

    def count(layer: Any, _given: object, made: Any) -> None:
        counts.append(made.numel() * layer.in_channels // layer.groups * layer.kernel_size[0] * layer.kernel_size[1])

    graph = DeployGraph(model).eval()
    for layer in graph.modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(count)
    with torch.no_grad():
        graph(*example_input(graph.sensors, HEIGHT, WIDTH))
    assert found.gmac == pytest.approx(sum(counts) / 1e9, rel=0.01)
