# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mmseg")

from perception.engines import find_model
from perception.engines.openvino import OpenVinoEngine
from perception.engines.pytorch import TorchEngine
from perception.engines.weights import load_weights, save_weights
from perception.errors import ModelError
from perception.export.graph import export_openvino
from perception.export.parity import MIN_AGREEMENT, check_parity, compare
from perception.sensors import NetworkInput


def test_openvino_gives_pytorchs_labels(
    weights: Path, exported: Path, network_input: NetworkInput, camera_alone: NetworkInput
) -> None:
    # An untrained network is sure of nothing: in bf16 it would toss coins.
    engine = OpenVinoEngine(exported, 1, precision="f32")
    parity = compare(TorchEngine(weights, 1, "cpu"), engine, [network_input, camera_alone])
    assert parity.agreement >= MIN_AGREEMENT
    assert set(parity.iou) == {"road", "vehicle", "pedestrian"}


def test_onnx_runtime_gives_pytorchs_labels(
    weights: Path, exported_onnx: Path, network_input: NetworkInput, camera_alone: NetworkInput
) -> None:
    assert check_parity(weights, exported_onnx, [network_input, camera_alone]).agreement >= MIN_AGREEMENT


def test_a_difference_is_an_error(weights: Path, network_input: NetworkInput, tmp_path: Path) -> None:
    state, config = load_weights(weights)
    state["decode_head.conv_seg.bias"] = state["decode_head.conv_seg.bias"].roll(1) + 1e-2
    state["decode_head.conv_seg.weight"] = -state["decode_head.conv_seg.weight"]
    save_weights(tmp_path / "other.safetensors", state, config)
    other = export_openvino(tmp_path / "other.safetensors", tmp_path / "other")
    with pytest.raises(ModelError, match=r"at least 99\.9% is needed"):
        check_parity(weights, other, [network_input])


def test_the_shipped_engine_file_agrees_with_the_shipped_weights() -> None:
    """In the precision that this processor runs by default, over five streets; one frame alone may lie lower."""
    from perception.sensors import encode, network_size
    from perception.simulation import SimulatedDrive

    frames = (SimulatedDrive(seed=seed, frames=100)[20].frame for seed in range(5))
    inputs = [encode(frame, *network_size(*frame.size)) for frame in frames]
    weights, exported = find_model(None, "torch")[1], find_model(None, "openvino")[1]
    check_parity(weights, exported, inputs)
