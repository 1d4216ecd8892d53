# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from perception.engines import find_model, load_engine
from perception.errors import ModelError
from perception.sensors import NetworkInput


@pytest.mark.parametrize("engine", ["openvino", "onnxruntime", "torch"])
def test_engines_take_any_size_one_after_another(engine: str, request: pytest.FixtureRequest) -> None:
    fixture = {"openvino": "exported", "onnxruntime": "exported_onnx", "torch": "weights"}[engine]
    loaded = load_engine(engine, request.getfixturevalue(fixture), 1)
    assert loaded.name.startswith(engine)
    for height, width in ((64, 96), (96, 64), (64, 96)):
        x = NetworkInput(
            np.zeros((height, width, 3), np.uint8),
            np.zeros((height // 2, width // 2, 10), np.uint8),
            np.ones(4, np.float32),
        )
        out = loaded.infer(x)
        assert out.labels.shape == out.confidence.shape == (height, width)
        assert out.labels.dtype == out.confidence.dtype == np.uint8
        assert out.weights.sum() == pytest.approx(1, abs=1e-3)


def test_a_shipped_model_s_other_form_is_not_to_be_made_beside_it() -> None:
    with pytest.raises(
        ModelError, match=r"`perception export dual_branch_s --format onnx -o models`, then --model models/"
    ):
        find_model(None, "onnxruntime")


def test_auto_prefers_the_engine_file_and_takes_weights_else(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()
    assert find_model(tmp_path / "m.safetensors", "auto")[0] == "torch"
    with pytest.raises(ModelError, match="perception export"):
        find_model(tmp_path / "m.safetensors", "openvino")
    (tmp_path / "m.xml").touch()
    assert find_model(tmp_path / "m.xml", "auto") == ("openvino", tmp_path / "m.xml")
    assert find_model(tmp_path / "m.xml", "torch") == ("torch", tmp_path / "m.safetensors")
    assert find_model(tmp_path / "m", "auto") == ("openvino", tmp_path / "m.xml")
    assert find_model(tmp_path / "m", "openvino-gpu") == ("openvino-gpu", tmp_path / "m.xml")


def test_an_onnx_file_goes_to_onnx_runtime_unless_tensorrt_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()
    with pytest.raises(ModelError, match="--format onnx"):
        find_model(tmp_path / "m", "tensorrt")
    (tmp_path / "m.onnx").touch()
    assert find_model(tmp_path / "m", "auto") == ("onnxruntime", tmp_path / "m.onnx")
    assert find_model(tmp_path / "m.onnx", "tensorrt") == ("tensorrt", tmp_path / "m.onnx")


def test_a_library_that_is_missing_is_named_with_its_cure(tmp_path: Path) -> None:
    if importlib.util.find_spec("tensorrt"):
        pytest.skip("TensorRT is installed")
    with pytest.raises(ModelError, match="engine tensorrt: pip install tensorrt"):
        load_engine("tensorrt", tmp_path / "m.onnx", None)


@pytest.mark.parametrize(
    ("model", "engine", "message"),
    [
        ("nonesuch", "auto", "no model"),
        (None, "tpu", "there are auto, openvino"),
        ("model.pth", "auto", r"\.safetensors file"),
    ],
)
def test_what_cannot_be_found_is_said(model: str | None, engine: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_model(model, engine)


@pytest.mark.parametrize("file", ["exported", "exported_onnx"])
def test_exported_models_run_without_torch(file: str, request: pytest.FixtureRequest) -> None:
    path = str(request.getfixturevalue(file))
    code = (
        "import sys; from perception import Pipeline; "
        f"p = Pipeline.load({path!r}); p.warm_up(96, 64); "
        "assert 'torch' not in sys.modules and 'mmseg' not in sys.modules and 'open3d' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_openvino_reports_to_nobody() -> None:
    code = "import perception, openvino.tools.ovc.telemetry_utils as used; print(used.tm.__name__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "openvino.tools.ovc.telemetry_stub\n", done.stderr
