# SPDX-License-Identifier: Apache-2.0
"""Every network of the zoo gives PyTorch's labels in ONNX Runtime, at sizes that it was not exported at."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mmseg")
pytest.importorskip("onnxruntime")

from helpers.networks import DUAL, ZOO, check_agreement, weights_file

from perception.engines.onnxruntime import OnnxRuntimeEngine
from perception.export.graph import export_onnx
from perception.frame import MODALITIES


@pytest.mark.parametrize("name", ZOO)
def test_an_exported_network_gives_pytorchs_labels(name: str, tmp_path: Path) -> None:
    weights = weights_file(name, tmp_path)
    engine = OnnxRuntimeEngine(export_onnx(weights, weights), 1)
    assert engine.sensors == (MODALITIES if name in DUAL else ("rgb",))
    check_agreement(weights, engine)
