# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from helpers.models.foreign import copying, saying

from perception.engines.foreign.description import Description, made
from perception.engines.foreign.running import OnnxRuntimeRunner, Port
from perception.errors import ModelError
from perception.export import template

pytest.importorskip("onnxruntime")

FLOAT = np.dtype(np.float32)


class Ports:
    """What a template asks of a runner."""

    name = "none"

    def __init__(self, inputs: Any, **outputs: Any) -> None:
        self.inputs = tuple(Port(name, shape, dtype) for name, (shape, dtype) in inputs.items())
        self.outputs = tuple(Port(name, shape, dtype) for name, (shape, dtype) in outputs.items())


def _content(runner: Any, notes: dict[str, str] | None = None) -> dict[str, Any]:
    return dict(yaml.safe_load(template.text(runner, notes or {})))


def test_what_a_segmenter_s_file_says_is_filled_in_and_the_rest_is_refused(tmp_path: Path) -> None:
    onnx = copying(tmp_path / "any.onnx", (1, 3, 64, 96))
    path = template.write(onnx, OnnxRuntimeRunner(onnx, 1))
    assert path == tmp_path / "model.yaml"
    content = yaml.safe_load(path.read_text("utf-8"))
    assert content["layout"] == "NCHW"
    assert content["size"] == [64, 96]
    assert content["outputs"] == {"kind": "logits", "scores": "scores"}
    with pytest.raises(ModelError, match=r"inputs.image: Input.scale: expected a number, got None"):
        made(content)
    content["inputs"]["image"] |= {"scale": "1/255", "mean": [0, 0, 0], "std": [1, 1, 1]}
    with pytest.raises(ModelError, match="names: expected the classes by id"):
        made(content)
    assert isinstance(made({**content, "names": "cityscapes"}), Description)


def test_a_description_that_is_there_stays(tmp_path: Path) -> None:
    onnx = copying(tmp_path / "any.onnx")
    (tmp_path / "model.yaml").write_text("mine")
    with pytest.raises(ModelError, match=r"model\.yaml: is there already"):
        template.write(onnx, OnnxRuntimeRunner(onnx, 1))
    assert (tmp_path / "model.yaml").read_text() == "mine"


def test_yolo_s_file_says_everything() -> None:
    runner = Ports(
        {"images": ((1, 3, 640, 640), FLOAT)}, output0=((1, 38, 8400), FLOAT), output1=((1, 32, 160, 160), FLOAT)
    )
    found = made(_content(runner, {"names": "{0: 'person', 1: 'car'}"}))
    assert found.outputs == {"kind": "yolo", "predictions": "output0", "prototypes": "output1"}
    assert (found.fit, found.size, found.class_names) == ("letterbox", [640, 640], ("person", "car"))
    assert found.inputs["images"].scale == 1 / 255


def test_torchvision_s_mask_rcnn_is_known_by_its_outputs() -> None:
    runner = Ports(
        {"image": ((3, None, None), FLOAT)},
        boxes=((None, 4), FLOAT),
        labels=((None,), np.dtype(np.int64)),
        scores=((None,), FLOAT),
        masks=((None, 1, None, None), FLOAT),
    )
    found = made({**_content(runner), "names": "coco-91"})
    assert found.outputs == {"kind": "masks", "labels": "labels", "scores": "scores", "masks": "masks"}
    assert (found.layout, found.size) == ("CHW", None)


def test_a_map_of_labels_and_an_input_of_bytes() -> None:
    byte = np.dtype(np.uint8)
    content = _content(Ports({"x": ((1, 64, 96, 3), byte)}, ids=((1, 64, 96), np.dtype(np.int32))))
    assert content["layout"] == "NHWC"
    assert content["outputs"] == {"kind": "labels", "labels": "ids"}
    assert content["inputs"]["x"]["scale"] == 1


def test_what_nothing_tells_is_left_open(tmp_path: Path) -> None:
    content = _content(Ports({"x": (None, FLOAT)}, y=(None, FLOAT)))
    assert content["layout"] is content["outputs"]["kind"] is content["names"] is None
    onnx = saying(tmp_path / "any.onnx", {"a": np.zeros(3, np.float32), "b": np.zeros((2, 2), np.float32)})
    text = template.text(OnnxRuntimeRunner(onnx, 1), {"names": "no dictionary"})
    assert "# a: 3 float32" in text
    assert "# b: 2×2 float32" in text
