# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmseg")

from perception.engines import find_model
from perception.engines.openvino import OpenVinoEngine
from perception.engines.pytorch import TorchEngine
from perception.engines.weights import load_weights, save_weights
from perception.errors import ModelError
from perception.export.graph import export_onnx, export_openvino
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


def test_instances_come_through_every_form(
    told_apart: Path, network_input: NetworkInput, camera_alone: NetworkInput
) -> None:
    pytest.importorskip("onnxruntime")
    reference, inputs = TorchEngine(told_apart, 1, "cpu"), [network_input, camera_alone]
    expected = reference.infer(network_input).instances
    assert expected is not None
    assert expected.shape == (4, 16, 24)
    assert np.abs(expected[2:]).mean() > 1
    parity = compare(reference, OpenVinoEngine(export_openvino(told_apart, told_apart), 1, precision="f32"), inputs)
    assert parity.agreement >= MIN_AGREEMENT
    assert parity.centres < 1e-3
    assert parity.offsets < 0.1  # weights are saved in float16
    exact = check_parity(told_apart, export_onnx(told_apart, told_apart), inputs)
    assert (exact.centres < 1e-5, exact.offsets < 1e-3) == (True, True)


def test_instances_that_differ_are_an_error(told_apart: Path, network_input: NetworkInput, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    state, config = load_weights(told_apart)
    state["auxiliary_head.predict.bias"] = state["auxiliary_head.predict.bias"] + 0.5
    save_weights(tmp_path / "other.safetensors", state, config)
    other = export_onnx(tmp_path / "other.safetensors", tmp_path / "other")
    with pytest.raises(ModelError, match=r"instances differ .* 16\.0 pixels"):
        check_parity(told_apart, other, [network_input])


def test_a_form_without_the_instances_is_an_error(
    weights: Path, told_apart: Path, exported: Path, network_input: NetworkInput
) -> None:
    with pytest.raises(ModelError, match="gives no instances"):
        compare(TorchEngine(told_apart, 1, "cpu"), OpenVinoEngine(exported, 1), [network_input])
