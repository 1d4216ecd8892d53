# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("mmseg")

import openvino

from perception.engines.openvino import INPUTS
from perception.export.graph import _prepared


def test_a_graph_takes_bytes_of_any_size_by_name_and_gives_bytes(exported: Path) -> None:
    assert exported.with_suffix(".bin").is_file()
    model = openvino.Core().read_model(exported)
    assert [port.any_name for port in model.inputs] == list(INPUTS)
    rgb, aux, present = (port.partial_shape for port in model.inputs)
    assert (rgb[1].is_dynamic, rgb[2].is_dynamic, rgb[3].get_length()) == (True, True, 3)
    assert (aux[1].is_dynamic, aux[3].get_length()) == (True, 10)
    assert present.to_shape() == [1, 4]
    types = [port.element_type.get_type_name() for port in (*model.inputs, *model.outputs)]
    assert types == ["u8", "u8", "f32", "u8", "u8", "f32"]


@pytest.mark.parametrize("name", ["model.onnx", "model.xml", "model.safetensors", "model"])
def test_the_suffix_is_that_of_the_form(name: str, tmp_path: Path) -> None:
    assert _prepared(tmp_path / "deep" / name, ".xml") == tmp_path / "deep/model.xml"
    assert (tmp_path / "deep").is_dir()


def test_a_dot_in_a_name_is_no_suffix(tmp_path: Path) -> None:
    assert _prepared(tmp_path / "run-0.5", ".onnx") == tmp_path / "run-0.5.onnx"
