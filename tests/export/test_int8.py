# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import openvino
import pytest

pytest.importorskip("nncf")

from perception.engines.openvino import OpenVinoEngine
from perception.errors import ModelError
from perception.export.int8 import quantise
from perception.sensors import NetworkInput


@pytest.fixture(scope="module")
def quantised(exported: Path) -> Path:
    rng = np.random.default_rng(0)
    frames = [
        NetworkInput(
            rng.integers(0, 256, (64, 96, 3), np.uint8),
            rng.integers(0, 256, (32, 48, 10), np.uint8),
            np.float32(present),
        )
        for present in [(1, 1, 1, 1), (1, 0, 0, 0)]
    ]
    return quantise(exported, frames)


def test_it_lies_beside_the_float_file_and_runs(quantised: Path, exported: Path, network_input: NetworkInput) -> None:
    assert quantised == exported.with_name(f"{exported.stem}_int8.xml")
    assert quantised.with_suffix(".bin").stat().st_size < 0.7 * exported.with_suffix(".bin").stat().st_size
    engine = OpenVinoEngine(quantised, 1)
    assert "int8" in engine.name
    assert engine.infer(network_input).labels.shape == (64, 96)


def test_convolutions_are_quantised_but_attention_and_logits_are_not(quantised: Path) -> None:
    nodes = openvino.Core().read_model(quantised).get_ops()
    convolutions = {node.get_friendly_name(): node for node in nodes if node.get_type_name() == "Convolution"}
    in_float = {name for name, node in convolutions.items() if node.input_value(0).get_node().get_type_name() != FQ}
    assert 10 < len(in_float) < len(convolutions) / 2
    assert any("class_logits" in name for name in in_float)
    for node in nodes:
        if node.get_type_name() in ("Softmax", "Sigmoid"):
            assert node.input_value(0).get_node().get_type_name() != FQ
            assert all(target.get_node().get_type_name() != FQ for target in node.output(0).get_target_inputs())


def test_without_frames_there_is_nothing_to_calibrate_with(exported: Path) -> None:
    with pytest.raises(ModelError, match="frames to calibrate"):
        quantise(exported, [])


FQ = "FakeQuantize"
