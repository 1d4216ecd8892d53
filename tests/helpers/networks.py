# SPDX-License-Identifier: Apache-2.0
"""An untrained network as a weights file and in the forms that engines run."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.sensors import NetworkInput


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the default network."""
    return _random("dual_branch_s", tmp_path_factory.mktemp("weights") / "random.safetensors")


@pytest.fixture(scope="session")
def told_apart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the network that tells instances apart."""
    return _random("dual_branch_s_instances", tmp_path_factory.mktemp("instances") / "random.safetensors")


def _random(name: str, path: Path) -> Path:
    torch = pytest.importorskip("torch")
    pytest.importorskip("mmseg")
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    import perception.models  # noqa: F401 (registers the parts)
    from perception.engines.weights import save_weights
    from perception.paths import config_path

    init_default_scope("mmseg")
    torch.manual_seed(0)
    config = Config.fromfile(config_path(f"networks/{name}.py")).model.to_dict()
    save_weights(path, MODELS.build(config).state_dict(), config)
    return path


@pytest.fixture(scope="session")
def exported(weights: Path) -> Path:
    """The same network for OpenVINO."""
    from perception.export.graph import export_openvino

    return export_openvino(weights, weights)


@pytest.fixture(scope="session")
def exported_onnx(weights: Path) -> Path:
    """The same network for ONNX Runtime."""
    pytest.importorskip("onnxruntime")
    from perception.export.graph import export_onnx

    return export_onnx(weights, weights)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests leave the user's compiled networks alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture
def network_input() -> NetworkInput:
    """Noise in every sensor."""
    rng = np.random.default_rng(0)
    return NetworkInput(
        rng.integers(0, 256, (64, 96, 3), np.uint8),
        rng.integers(0, 256, (32, 48, 10), np.uint8),
        np.ones(4, np.float32),
    )


@pytest.fixture
def camera_alone(network_input: NetworkInput) -> NetworkInput:
    """The same without the other sensors."""
    return NetworkInput(network_input.rgb, np.zeros_like(network_input.aux), np.array([1, 0, 0, 0], np.float32))
