# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

onnxruntime = pytest.importorskip("onnxruntime")

from perception.engines.onnxruntime import OnnxRuntimeEngine  # noqa: E402
from perception.errors import ModelError  # noqa: E402


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_file_that_is_no_engine_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelError, match=r"model\.onnx"):
        OnnxRuntimeEngine(path)


def test_a_missing_file_is_named_with_its_cure(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"none\.onnx: no such engine file.*perception export --format onnx"):
        OnnxRuntimeEngine(tmp_path / "none.onnx")


def test_a_network_of_another_kind_is_refused(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    value = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    result = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "other", [value], [result])
    opset = onnx.helper.make_opsetid("", 18)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), tmp_path / "other.onnx")
    with pytest.raises(ModelError, match=r"its inputs are \['x'\]"):
        OnnxRuntimeEngine(tmp_path / "other.onnx")


def test_it_says_what_it_runs_on(exported_onnx: Path) -> None:
    engine = OnnxRuntimeEngine(exported_onnx, 1, ["CPUExecutionProvider"])
    assert engine.name == f"onnxruntime {onnxruntime.__version__} CPU"
