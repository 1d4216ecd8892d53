# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.models.foreign import copying, saying

from perception.engines.foreign.running import OnnxRuntimeRunner, OpenVinoRunner, Port
from perception.errors import ModelError

pytest.importorskip("onnxruntime")


@pytest.mark.parametrize("kind", [OnnxRuntimeRunner, OpenVinoRunner])
def test_ports_are_said_alike_and_arrays_go_through(kind: Any, tmp_path: Path) -> None:
    runner = kind(copying(tmp_path / "model.onnx", gain=2.0), 1)
    assert runner.inputs == (Port("image", (1, 3, None, None), np.dtype("float32")),)
    assert [port.name for port in runner.outputs] == ["scores"]
    given = np.arange(18, dtype=np.float32).reshape(1, 3, 2, 3)
    np.testing.assert_array_equal(runner({"image": given})["scores"], 2 * given)
    assert runner.name.split()[0] in ("onnxruntime", "openvino")


@pytest.mark.parametrize("kind", [OnnxRuntimeRunner, OpenVinoRunner])
def test_numbers_of_every_kind_come_out(kind: Any, tmp_path: Path) -> None:
    said = {"ids": np.array([3, 1], np.int64), "small": np.array([[7]], np.uint8), "half": np.ones(2, np.float16)}
    runner = kind(saying(tmp_path / "model.onnx", said), 1)
    found = runner({"image": np.zeros((1, 3, 64, 96), np.float32)})
    for name, array in said.items():
        np.testing.assert_array_equal(found[name], array)


@pytest.mark.parametrize(("kind", "word"), [(OnnxRuntimeRunner, "ONNX Runtime"), (OpenVinoRunner, "OpenVINO")])
def test_a_library_that_fails_is_named(kind: Any, word: str, tmp_path: Path) -> None:
    runner = kind(copying(tmp_path / "model.onnx", sides=(1, 3, 64, 96)), 1)
    with pytest.raises(ModelError, match=f"{word}: "):
        runner({"image": np.zeros((1, 3, 7, 7), np.float32)})
