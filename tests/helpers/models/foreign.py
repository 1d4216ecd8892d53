# SPDX-License-Identifier: Apache-2.0
"""Small ONNX files as others make them, with a model.yaml beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from numpy.typing import NDArray

PLAIN = {"channels": ["red", "green", "blue"], "scale": "1/255", "mean": [0, 0, 0], "std": [1, 1, 1]}
"""An input of colours between 0 and 1."""

CITY = {
    "format": 1,
    "inputs": {"image": PLAIN},
    "layout": "NCHW",
    "outputs": {"kind": "logits", "scores": "scores"},
    "names": ["road", "car", "person"],
}
"""Of `copying`: the reddest is road, the greenest car, the bluest person."""


def describe(path: Path, content: Mapping[str, Any]) -> Path:
    """Write the model.yaml beside a file, and return the file."""
    path.with_name("model.yaml").write_text(yaml.safe_dump(dict(content)), "utf-8")
    return path


def copying(path: Path, sides: Sequence[int | str] = (1, 3, "h", "w"), kind: str = "FLOAT", gain: float = 20.0) -> Path:
    """A file whose `scores` are its `image` times `gain`."""
    onnx = pytest.importorskip("onnx")
    helper, of = onnx.helper, getattr(onnx.TensorProto, kind)
    factor = helper.make_tensor("gain", of, [], [gain])
    nodes = [helper.make_node("Mul", ["image", "gain"], ["scores"])]
    given = helper.make_tensor_value_info("image", of, list(sides))
    return _saved(path, nodes, [given], [helper.make_tensor_value_info("scores", of, list(sides))], [factor])


def saying(path: Path, outputs: Mapping[str, NDArray[Any]], sides: Sequence[int | str] = (1, 3, 64, 96)) -> Path:
    """A file that says the same of every `image`."""
    onnx = pytest.importorskip("onnx")
    helper = onnx.helper
    nodes, infos = [helper.make_node("ReduceMin", ["image"], ["least"], keepdims=0)], []
    nodes += [helper.make_node("Mul", ["least", "zero"], ["none"])]
    tensors = [helper.make_tensor("zero", onnx.TensorProto.FLOAT, [], [0.0])]
    for name, array in outputs.items():
        # It depends on the input, so that no library takes that away.
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensors.append(onnx.numpy_helper.from_array(array, f"{name} itself"))
        nodes.append(helper.make_node("Cast", ["none"], [f"{name} none"], to=kind))
        nodes.append(helper.make_node("Add", [f"{name} itself", f"{name} none"], [name]))
        infos.append(helper.make_tensor_value_info(name, kind, list(array.shape)))
    given = helper.make_tensor_value_info("image", onnx.TensorProto.FLOAT, list(sides))
    return _saved(path, nodes, [given], infos, tensors)


def _saved(path: Path, nodes: list[Any], inputs: list[Any], outputs: list[Any], tensors: list[Any]) -> Path:
    import onnx

    graph = onnx.helper.make_graph(nodes, "another", inputs, outputs, tensors)
    opset = onnx.helper.make_opsetid("", 18)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=9), path)
    return path


def stripes(height: int = 64, width: int = 96) -> NDArray[np.uint8]:
    """Three upright stripes, red, green and blue."""
    image = np.zeros((height, width, 3), np.uint8)
    for number in range(3):
        image[:, number * width // 3 : (number + 1) * width // 3, number] = 255
    return image
