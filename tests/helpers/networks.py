# SPDX-License-Identifier: Apache-2.0
"""Untrained networks: the default one as a weights file and in the forms that engines run, and the zoo's by name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perception.paths import share
from perception.sensors import NetworkInput
from perception.sensors.spec import SPECS

if TYPE_CHECKING:
    import torch

    from perception.engines.base import Engine


def _names(folder: str) -> list[str]:
    return sorted(path.stem for path in (share() / "configs/networks" / folder).glob("*.py"))


CAMERA_ALONE, DUAL = _names("zoo"), _names("zoo/dual")
ZOO = [*CAMERA_ALONE, *DUAL]


def build(name: str) -> torch.nn.Module:
    """The network of that name with random weights, in training mode."""
    import torch
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    import perception.models  # noqa: F401 (registers the parts)
    from perception.models.custom import read_config
    from perception.models.networks import find_network

    init_default_scope("mmseg")
    torch.manual_seed(0)
    return MODELS.build(read_config(find_network(name)).model).train()


def batch_of(model: torch.nn.Module, size: int = 2, height: int = 64, width: int = 128) -> dict[str, torch.Tensor]:
    """Noise in every sensor of the network, and labels of a block of each class, as `Mixture` gives them."""
    import torch

    from perception.models.aux_stem import sensors_in

    torch.manual_seed(1)
    sensors = sensors_in(model)
    channels = sum(len(SPECS[name].channels) for name in sensors)
    labels = torch.arange(4, dtype=torch.uint8).repeat_interleave(width // 4).expand(size, height, width).contiguous()
    return dict(
        rgb=torch.randint(0, 256, (size, 3, height, width), dtype=torch.uint8),
        aux=torch.randint(0, 256, (size, channels, height // 2, width // 2), dtype=torch.uint8),
        present=torch.ones(size, len(sensors)),
        labels=labels,
    )


def weights_file(name: str, folder: Path) -> Path:
    """The network's random weights as a file; they are numbers of 16 bits, which exports keep as they are."""
    from perception.engines.weights import save_weights
    from perception.models.custom import read_config
    from perception.models.networks import find_network

    state = build(name).state_dict()
    rounded = {key: value.half().float() if value.is_floating_point() else value for key, value in state.items()}
    path = folder / f"{name}.safetensors"
    save_weights(path, rounded, read_config(find_network(name)).model.to_dict())
    return path


def check_agreement(weights: Path, engine: Engine) -> None:
    """Assert that an engine gives PyTorch's labels, confidence and weights of sensors for noise of two sizes."""
    from perception.engines.pytorch import TorchEngine
    from perception.export.parity import compare

    rng, inputs = np.random.default_rng(0), []
    for height, width in ((64, 96), (96, 64)):
        rgb = rng.integers(0, 256, (height, width, 3), np.uint8)
        aux = rng.integers(0, 256, (height // 2, width // 2, 10), np.uint8)
        inputs.append(NetworkInput(rgb, aux, np.ones(4, np.float32)))
    reference = TorchEngine(weights, 1, "cpu")
    # Where two classes are equally likely to an untrained network, rounding decides.
    assert compare(reference, engine, inputs).agreement >= 0.99
    expected, got = reference.infer(inputs[0]), engine.infer(inputs[0])
    assert np.abs(expected.confidence.astype(int) - got.confidence).max() <= 4
    np.testing.assert_allclose(got.weights, expected.weights, atol=2e-3)


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
