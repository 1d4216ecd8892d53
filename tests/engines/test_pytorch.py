# SPDX-License-Identifier: Apache-2.0
"""PyTorch as an engine, and peers folded for it, on a CPU."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip("mmseg")


from perception.benchmark.peers import PEERS, write_peer
from perception.engines import load_engine
from perception.engines.cuda import reduce_precision
from perception.engines.pytorch import TorchEngine
from perception.engines.weights import build_model
from perception.errors import ModelError
from perception.models.deploy import DeployGraph
from perception.sensors import NetworkInput


def test_on_a_cpu_it_is_the_reference(weights: Path) -> None:
    assert TorchEngine(weights, device="cpu").name.endswith("cpu float32")


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
