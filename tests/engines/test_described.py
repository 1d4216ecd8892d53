# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.classes import CLASSES
from perception.engines.described import ONNX_KEY, RT_INFO, classes_of, described_by, how_to_run, note, onnx_notes
from perception.errors import ModelError
from perception.paths import WEIGHTS

FIVE = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle", takes=dict(camvid=(10,)))])


def write_weights(path: Path, said: str | None) -> None:
    safetensors = pytest.importorskip("safetensors.numpy")
    metadata = {"model": "{}", **({"classes": said} if said else {})}
    safetensors.save_file({"x": np.zeros(3, np.float32)}, path, metadata)


def write_openvino(path: Path, said: str | None) -> None:
    import openvino
    from openvino import opset13

    port = opset13.parameter([1, 3], np.float32)
    model = openvino.Model([opset13.relu(port)], [port])
    if said:
        model.set_rt_info(said, list(RT_INFO))
    openvino.save_model(model, path)


def write_onnx(path: Path, said: str | None) -> None:
    onnx = pytest.importorskip("onnx")
    kind = onnx.TensorProto.FLOAT
    ports = (onnx.helper.make_tensor_value_info(name, kind, [1, 3]) for name in "xy")
    graph = onnx.helper.make_graph([onnx.helper.make_node("Relu", ["x"], ["y"])], "graph", [next(ports)], [next(ports)])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, {"other": "thing", **({ONNX_KEY: said} if said else {})})
    onnx.save(model, path)


@pytest.mark.parametrize(
    ("suffix", "write"), [(".safetensors", write_weights), (".xml", write_openvino), (".onnx", write_onnx)]
)
def test_a_file_says_which_classes_it_knows(suffix: str, write, tmp_path: Path) -> None:
    plain, more, odd = (tmp_path / f"{name}{suffix}" for name in ("plain", "more", "odd"))
    write(plain, note(CLASSES))
    assert classes_of(plain) == CLASSES
    write(more, note(FIVE))
    assert classes_of(more) == FIVE
    write(odd, '[{"name": "bicycle"}]')
    with pytest.raises(ModelError, match=f"odd{suffix}: its classes cannot be read: SemanticClass: 'colour'"):
        classes_of(odd)


def test_the_shipped_weights_know_the_four(tmp_path: Path) -> None:
    for path in (*WEIGHTS.glob("*.xml"), *WEIGHTS.glob("*.safetensors")):
        assert classes_of(path) == CLASSES


@pytest.mark.parametrize("suffix", [".safetensors", ".xml", ".onnx"])
def test_what_is_no_model_is_left_to_its_engine(suffix: str, tmp_path: Path) -> None:
    for content in (b"", b"nothing of the kind\n", bytes(range(256))):
        path = tmp_path / f"odd{suffix}"
        path.write_bytes(content)
        assert classes_of(path) == CLASSES
    assert classes_of(tmp_path / f"none{suffix}") == CLASSES


def test_a_file_of_another_s_is_described_beside_it_and_has_our_classes(tmp_path: Path) -> None:
    path = tmp_path / "any.onnx"
    write_onnx(path, note(FIVE))
    assert described_by(path) is None
    assert "--describe` begins one" in how_to_run(path)
    (tmp_path / "model.yaml").write_text("format: 1\n")
    assert described_by(path) == described_by(tmp_path / "any.xml") == tmp_path / "model.yaml"
    assert described_by(tmp_path / "any.safetensors") is None
    assert "which `bench` and TensorRT do not run" in how_to_run(path)
    assert classes_of(path) == CLASSES


def test_what_else_is_noted_in_an_onnx_is_read(tmp_path: Path) -> None:
    write_onnx(tmp_path / "any.onnx", None)
    assert onnx_notes(tmp_path / "any.onnx") == {"other": "thing"}
