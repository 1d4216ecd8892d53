# SPDX-License-Identifier: Apache-2.0
"""An untrained network as a weights file, and its OpenVINO form."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.sensors import NetworkInput


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random weights of the default network."""
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
    config = Config.fromfile(config_path("models/dual_branch_s.py")).model.to_dict()
    path = tmp_path_factory.mktemp("weights") / "random.safetensors"
    save_weights(path, MODELS.build(config).state_dict(), config)
    return path


@pytest.fixture(scope="session")
def exported(weights: Path) -> Path:
    """The same network for OpenVINO."""
    from perception.engines.export import export_openvino

    return export_openvino(weights, weights)


@pytest.fixture
def network_input() -> NetworkInput:
    """Noise in every sensor."""
    rng = np.random.default_rng(0)
    return NetworkInput(
        rng.integers(0, 256, (64, 96, 3), np.uint8), rng.integers(0, 256, (32, 48, 8), np.uint8), np.ones(4, np.float32)
    )
