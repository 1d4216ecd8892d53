# SPDX-License-Identifier: Apache-2.0
"""The network that is looked into."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.networks import weights_file

from perception.engines.pytorch import TorchEngine
from perception.errors import ModelError
from perception.explanation.explain import explain
from perception.explanation.network import ExplainedNetwork
from perception.frame import Frame
from perception.pipeline import Pipeline
from perception.sensors import NetworkInput


@pytest.fixture(scope="module")
def pipeline(weights: Path) -> Pipeline:
    return Pipeline(TorchEngine(weights, device="cpu"), weights)


@pytest.fixture(scope="module")
def network(weights: Path) -> ExplainedNetwork:
    return ExplainedNetwork.load(weights)


def test_the_explained_network_is_the_engine_s(
    pipeline: Pipeline, network: ExplainedNetwork, frame: Frame, network_input: NetworkInput
) -> None:
    np.testing.assert_array_equal(network.look(network_input).labels, pipeline.engine.infer(network_input).labels)
    assert explain(frame, pipeline, network).agreement == 1


def test_an_int8_model_is_explained_by_the_weights_it_was_made_from() -> None:
    assert ExplainedNetwork.load("dual_branch_s_int8")


def test_a_model_without_weights_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"vehicle\.safetensors.*gradients"):
        ExplainedNetwork.load(tmp_path / "vehicle.xml")


def test_features_are_found_by_their_stride_whatever_the_network_has(
    network_input: NetworkInput, tmp_path: Path
) -> None:
    network = ExplainedNetwork.load(weights_file("dual_pidnet", tmp_path))
    seen = network.look(network_input, stride=8)
    assert seen.labels.shape == network_input.rgb.shape[:2]
    assert seen.saliency
    with pytest.raises(ModelError, match="no features of stride 16: this network's are of 8"):
        network.look(network_input, stride=16)
