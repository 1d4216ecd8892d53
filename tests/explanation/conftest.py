# SPDX-License-Identifier: Apache-2.0
"""A small untrained network whose classes all occur, that is deaf to infrared, and a frame of every sensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perception.frame import CameraModel, Frame
from perception.sensors import NetworkInput, encode, network_size


@pytest.fixture(scope="session")
def segmentor() -> Any:
    """The default architecture with random weights; the stem's gate of infrared is shut."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("mmseg")
    return _build(torch)[0]


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same network as a file."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("mmseg")
    from perception.engines.weights import save_weights

    model, config = _build(torch)
    path = tmp_path_factory.mktemp("explained") / "deaf.safetensors"
    save_weights(path, model.state_dict(), config)
    return path


@pytest.fixture
def frame() -> Frame:
    """Noise in every sensor, 96×64."""
    rng = np.random.default_rng(0)
    return Frame(
        stamp_ns=1,
        rgb=rng.integers(0, 256, (64, 96, 3), np.uint8),
        depth=rng.uniform(2, 60, (64, 96)).astype(np.float32),
        infrared=rng.integers(0, 256, (64, 96), np.uint8),
        points=rng.uniform((5, -4, -1, 0), (40, 4, 1, 1), (500, 4)).astype(np.float32),
        camera=CameraModel(np.array([[70.0, 0, 47.5], [0, 70.0, 31.5], [0, 0, 1]]), 96, 64),
        lidar_to_camera=np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1]], np.float64),
    )


@pytest.fixture
def network_input(frame: Frame) -> NetworkInput:
    """The frame as the network takes it."""
    return encode(frame, *network_size(*frame.size))


def _build(torch: Any) -> tuple[Any, dict[str, Any]]:
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    import perception.models  # noqa: F401 (registers the parts)
    from perception.paths import config_path

    init_default_scope("mmseg")
    torch.manual_seed(0)
    config = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    model = MODELS.build(config).eval()
    torch.nn.init.normal_(model.decode_head.conv_seg.weight, std=1.0)
    torch.nn.init.constant_(model.backbone.aux_stem.scores[1].bias, -1e4)
    return model, config
