# SPDX-License-Identifier: Apache-2.0
"""The parts of the GPU's path that a CPU can run: folding, casting and autocast."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("mmseg")

from mmcv.cnn import ConvModule

from perception.benchmark.peers import PEERS, write_peer
from perception.engines import load_engine
from perception.engines.cuda import autocast, fold_batch_norm, reduce_precision
from perception.engines.pytorch import TorchEngine
from perception.engines.weights import build_model
from perception.errors import ModelError
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


def test_on_a_cpu_it_is_the_reference(weights: Path) -> None:
    assert TorchEngine(weights, device="cpu").name.endswith("cpu float32")


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


@pytest.mark.parametrize("name", sorted(PEERS))
def test_peers_stay_what_they_are_when_folded(name: str, tmp_path: Path, network_input: NetworkInput) -> None:
    peer = write_peer(name, tmp_path / "peer.safetensors")
    expected = TorchEngine(peer, device="cpu").infer(network_input)
    graph = reduce_precision(DeployGraph(build_model(peer)).eval(), torch.float32)
    arrays = (network_input.rgb, network_input.aux, network_input.present)
    with torch.inference_mode():
        confidence = graph(*(torch.from_numpy(array)[None] for array in arrays))[1][0].numpy()
    assert np.abs(confidence.astype(int) - expected.confidence).max() <= 1


def test_the_parts_are_the_whole(weights: Path, network_input: NetworkInput) -> None:
    """On a GPU `see` and `sense` run at once, and `decide` after them."""
    graph = DeployGraph(build_model(weights)).eval()
    rgb, aux, present = (
        torch.from_numpy(x)[None] for x in (network_input.rgb, network_input.aux, network_input.present)
    )
    with torch.inference_mode():
        lean, gains = graph.weigh(rgb, aux, present)
        parts = graph.decide(graph.see(rgb), *graph.sense(aux, present, gains), present, lean, rgb.shape[1:3])
        for part, whole in zip(parts, graph(rgb, aux, present), strict=True):
            assert torch.equal(part, whole)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without a GPU")
def test_compiling_without_a_gpu_is_refused_and_says_why(weights: Path) -> None:
    with pytest.raises(ModelError, match="torch-compiled: PyTorch finds no NVIDIA GPU"):
        load_engine("torch-compiled", weights, 1)
