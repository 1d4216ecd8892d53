# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from perception.engines import find_model, load_engine
from perception.engines.openvino import OpenVinoEngine
from perception.errors import ModelError
from perception.sensors import NetworkInput


def test_openvino_gives_pytorchs_labels(weights: Path, exported: Path, network_input: NetworkInput) -> None:
    from perception.engines.export import MIN_AGREEMENT, label_agreement
    from perception.engines.pytorch import TorchEngine

    reference = TorchEngine(weights, threads=1, device="cpu")
    # An untrained network is sure of nothing: in bf16 it would toss coins.
    assert label_agreement(reference, OpenVinoEngine(exported, 1, precision="f32"), [network_input]) >= MIN_AGREEMENT


def test_a_difference_is_an_error(weights: Path, exported: Path, network_input: NetworkInput, tmp_path: Path) -> None:
    from perception.engines.export import check_parity, export_openvino
    from perception.engines.weights import load_weights, save_weights

    state, config = load_weights(weights)
    state["decode_head.conv_seg.bias"] = state["decode_head.conv_seg.bias"].roll(1) + 1e-2
    state["decode_head.conv_seg.weight"] = -state["decode_head.conv_seg.weight"]
    save_weights(tmp_path / "other.safetensors", state, config)
    other = export_openvino(tmp_path / "other.safetensors", tmp_path / "other")
    with pytest.raises(ModelError, match=r"at least 99\.9% is needed"):
        check_parity(weights, other, [network_input])


@pytest.mark.parametrize("engine", ["openvino", "torch"])
def test_engines_take_any_size_one_after_another(weights: Path, exported: Path, engine: str) -> None:
    loaded = load_engine(engine, exported if engine == "openvino" else weights, 1)
    for height, width in ((64, 96), (96, 64), (64, 96)):
        x = NetworkInput(
            np.zeros((height, width, 3), np.uint8),
            np.zeros((height // 2, width // 2, 8), np.uint8),
            np.ones(4, np.float32),
        )
        out = loaded.infer(x)
        assert out.labels.shape == out.confidence.shape == (height, width)
        assert out.labels.dtype == out.confidence.dtype == np.uint8
        assert out.weights.sum() == pytest.approx(1, abs=1e-3)


def test_results_are_not_overwritten_by_the_next_frame(exported: Path, network_input: NetworkInput) -> None:
    engine = OpenVinoEngine(exported, 1)
    first = engine.infer(network_input)
    kept = first.confidence.copy()
    engine.infer(NetworkInput(255 - network_input.rgb, network_input.aux, network_input.present))
    np.testing.assert_array_equal(first.confidence, kept)


@pytest.mark.parametrize("content", ["", "not xml", "<net name='x' version='11'><layers/><edges/></net>"])
def test_an_engine_file_that_is_none_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "model.xml"
    path.write_text(content)
    with pytest.raises(ModelError, match=r"model\.xml"):
        OpenVinoEngine(path)


def test_auto_prefers_the_engine_file_and_takes_weights_else(tmp_path: Path) -> None:
    (tmp_path / "m.safetensors").touch()
    assert find_model(tmp_path / "m.safetensors", "auto")[0] == "torch"
    with pytest.raises(ModelError, match="perception export"):
        find_model(tmp_path / "m.safetensors", "openvino")
    (tmp_path / "m.xml").touch()
    assert find_model(tmp_path / "m.xml", "auto") == ("openvino", tmp_path / "m.xml")
    assert find_model(tmp_path / "m.xml", "torch") == ("torch", tmp_path / "m.safetensors")
    assert find_model(tmp_path / "m", "auto") == ("openvino", tmp_path / "m.xml")


@pytest.mark.parametrize(
    ("model", "engine", "message"),
    [("nonesuch", "auto", "no model"), (None, "tpu", "choose auto"), ("model.pth", "auto", r"\.safetensors file")],
)
def test_what_cannot_be_found_is_said(model: str | None, engine: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        find_model(model, engine)


def test_openvino_starts_without_torch(exported: Path) -> None:
    code = (
        "import sys; from perception import Pipeline; "
        f"p = Pipeline.load({str(exported)!r}); p.warm_up(96, 64); "
        "assert 'torch' not in sys.modules and 'mmseg' not in sys.modules and 'open3d' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_shipped_engine_file_agrees_with_the_shipped_weights() -> None:
    """In the precision that this processor runs by default, over five streets; one frame alone may lie lower."""
    pytest.importorskip("mmseg")
    from perception.engines.export import MIN_AGREEMENT, check_parity
    from perception.sensors import encode, network_size
    from perception.simulation import SimulatedDrive

    frames = (SimulatedDrive(seed=seed, frames=100)[20].frame for seed in range(5))
    inputs = [encode(frame, *network_size(*frame.size)) for frame in frames]
    weights, exported = find_model(None, "torch")[1], find_model(None, "openvino")[1]
    assert check_parity(weights, exported, inputs) >= MIN_AGREEMENT
