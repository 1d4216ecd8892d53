# SPDX-License-Identifier: Apache-2.0
"""What of the GPU's path a CPU can run: folding, casting and autocast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

import torch
from mmcv.cnn import ConvModule

from perception.engines.cuda import autocast, fold_batch_norm, reduce_precision
from perception.engines.pytorch import TorchEngine
from perception.engines.weights import build_model
from perception.models.deploy import DeployGraph
from perception.sensors import NetworkInput

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


class _Odd(torch.nn.Sequential):
    """A batch-norm after its convolution, one before it, and one after neither."""

    def __init__(self) -> None:
        super().__init__(
            ConvModule(3, 5, 3, norm_cfg=dict(type="BN")),
            ConvModule(5, 7, 1, norm_cfg=dict(type="BN"), order=("norm", "act", "conv")),
            torch.nn.Conv2d(7, 7, 1),
            torch.nn.ReLU(),
            torch.nn.BatchNorm2d(7),
        )


def test_batch_norm_is_folded_into_its_own_convolution_alone() -> None:
    torch.manual_seed(0)
    network = _Odd().train()
    image = torch.randn(2, 3, 16, 16)
    network(image)  # so that the statistics are no longer those of the identity
    expected = network.eval()(image)
    fold_batch_norm(network)
    torch.testing.assert_close(network(image), expected)
    assert sum(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules()) == 2
