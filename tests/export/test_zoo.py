# SPDX-License-Identifier: Apache-2.0
"""Every network of the zoo gives PyTorch's labels when it is exported, at sizes that it was not exported at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmseg")
pytest.importorskip("onnxruntime")

from helpers.networks import DUAL, ZOO, weights_file

from perception.engines.onnxruntime import OnnxRuntimeEngine
from perception.engines.openvino import OpenVinoEngine
from perception.engines.pytorch import TorchEngine
from perception.export.graph import export_onnx, export_openvino
from perception.export.parity import compare
from perception.frame import MODALITIES
from perception.sensors import NetworkInput


def _input(height: int, width: int) -> NetworkInput:
    """Noise in every sensor."""
    rng = np.random.default_rng(0)
    return NetworkInput(
        rng.integers(0, 256, (height, width, 3), np.uint8),
        rng.integers(0, 256, (height // 2, width // 2, 10), np.uint8),
        np.ones(4, np.float32),
    )


@pytest.mark.parametrize("form", ["onnx", "openvino"])
@pytest.mark.parametrize("name", ZOO)
def test_an_exported_network_gives_pytorchs_labels(name: str, form: str, tmp_path: Path) -> None:
    weights = weights_file(name, tmp_path)
    reference = TorchEngine(weights, 1, "cpu")
    engine: OnnxRuntimeEngine | OpenVinoEngine
    if form == "onnx":
        engine = OnnxRuntimeEngine(export_onnx(weights, weights), 1)
    else:
        engine = OpenVinoEngine(export_openvino(weights, weights), 1, precision="f32")
    assert engine.sensors == (MODALITIES if name in DUAL else ("rgb",))
    inputs = [_input(64, 96), _input(96, 64)]
    # An untrained network is sure of nothing: where two classes are equally likely, rounding decides.
    assert compare(reference, engine, inputs).agreement >= 0.99
    expected, got = reference.infer(inputs[0]), engine.infer(inputs[0])
    assert np.abs(expected.confidence.astype(int) - got.confidence).max() <= 4
    np.testing.assert_allclose(got.weights, expected.weights, atol=2e-3)
