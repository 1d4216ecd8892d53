# SPDX-License-Identifier: Apache-2.0
"""What of the GPU's path a CPU can run: folding, casting and autocast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.engines.pytorch import TorchEngine, autocast, reduce_precision  # noqa: E402
from perception.engines.weights import build_model  # noqa: E402
from perception.models.deploy import DeployGraph  # noqa: E402
from perception.sensors import NetworkInput  # noqa: E402

CPU = torch.device("cpu")


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1), (torch.bfloat16, 8)])
def test_reduced_precision_says_nearly_the_same(
    weights: Path, network_input: NetworkInput, dtype: torch.dtype, tolerance: int
) -> None:
    expected = TorchEngine(weights, device="cpu").infer(network_input).confidence
    graph = reduce_precision(DeployGraph(build_model(weights)).eval(), dtype)
    arrays = (network_input.rgb, network_input.aux, network_input.present)
    with torch.inference_mode(), autocast(CPU, dtype):
        labels, confidence, shares = graph(*(torch.from_numpy(array)[None] for array in arrays))
    difference = np.abs(confidence[0].numpy().astype(int) - expected)
    assert np.percentile(difference, 99) <= tolerance
    assert labels.dtype == confidence.dtype == torch.uint8
    assert shares.sum().item() == pytest.approx(1, abs=1e-2)


def test_nothing_is_left_to_fold_or_cast(weights: Path) -> None:
    graph = reduce_precision(DeployGraph(build_model(weights)).eval(), torch.bfloat16)
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in graph.modules())
    convolutions = [module for module in graph.modules() if isinstance(module, torch.nn.Conv2d)]
    assert {module.weight.dtype for module in convolutions} == {torch.bfloat16}


def test_on_a_cpu_it_is_the_reference(weights: Path) -> None:
    assert TorchEngine(weights, device="cpu").name.endswith("cpu float32")
