# SPDX-License-Identifier: Apache-2.0
"""The zoo's networks by name, built with random weights."""

from __future__ import annotations

from pathlib import Path

import torch
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import perception.models  # noqa: F401 (registers the parts)
from perception.models.aux_stem import sensors_in
from perception.models.custom import read_config
from perception.models.networks import find_network
from perception.paths import share
from perception.sensors.spec import SPECS


def _names(folder: str) -> list[str]:
    return sorted(path.stem for path in (share() / "configs/networks" / folder).glob("*.py"))


CAMERA_ALONE, DUAL = _names("zoo"), _names("zoo/dual")
ZOO = [*CAMERA_ALONE, *DUAL]


def build(name: str) -> torch.nn.Module:
    """The network of that name, in training mode."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    return MODELS.build(read_config(find_network(name)).model).train()


def batch_of(model: torch.nn.Module, size: int = 2, height: int = 64, width: int = 128) -> dict[str, torch.Tensor]:
    """Noise in every sensor of the network, and labels of a block of each class, as `Mixture` gives them."""
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

    model = build(name)
    state = {
        key: value.half().float() if value.is_floating_point() else value for key, value in model.state_dict().items()
    }
    path = folder / f"{name}.safetensors"
    save_weights(path, state, read_config(find_network(name)).model.to_dict())
    return path
