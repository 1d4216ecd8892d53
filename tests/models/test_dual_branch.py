# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from perception.models import Batch
from perception.models.dual_branch import normalise
from perception.paths import config_path


@pytest.fixture(scope="module")
def config() -> dict:
    init_default_scope("mmseg")
    return Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()


@pytest.fixture(scope="module")
def model(config: dict) -> torch.nn.Module:
    torch.manual_seed(0)
    return MODELS.build(config).eval()


def batch(size: int = 1, height: int = 64, width: int = 96) -> Batch:
    return Batch(
        torch.randint(0, 256, (size, 3, height, width)).float(),
        torch.randint(0, 256, (size, 10, height // 2, width // 2)).float(),
        torch.ones(size, 4),
    )


def test_is_small_enough_to_ship(model: torch.nn.Module) -> None:
    assert sum(p.numel() for p in model.parameters()) < 8e6


@pytest.mark.parametrize("kept", [(1, 1, 1, 1), (1, 0, 0, 0), (0, 1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0), (1, 0, 1, 0)])
def test_weights_are_shared_among_the_present_modalities(model: torch.nn.Module, kept: tuple[int, ...]) -> None:
    inputs = batch()._replace(present=torch.tensor([kept], dtype=torch.float32))
    features, weights = model.backbone.encode(normalise(inputs))
    assert [f.shape[2] for f in features] == [16, 8, 4, 2]
    assert weights.sum().item() == pytest.approx(1, abs=1e-5)
    assert ((weights[0] > 0) == torch.tensor(kept, dtype=torch.bool)).all()


def test_an_absent_modality_never_looks_like_darkness(model: torch.nn.Module) -> None:
    inputs = batch()._replace(present=torch.tensor([[0.0, 1, 1, 1]]))
    black = inputs._replace(rgb=torch.zeros_like(inputs.rgb))
    for a, b in zip(model.backbone(inputs), model.backbone(black), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("branch", ["rgb", "aux"])
def test_any_mmseg_backbone_can_stand_in_either_branch(config: dict, branch: str) -> None:
    resnet = dict(type="ResNetV1c", depth=18, base_channels=16, norm_cfg=dict(type="BN"))
    encoder = {**config["backbone"], branch: resnet, f"{branch}_channels": (16, 32, 64, 128)}
    if branch == "aux":
        resnet["in_channels"] = 16
        encoder["aux_stem"] = {**encoder["aux_stem"], "stride": 1}
    features = MODELS.build(encoder).eval()(batch())
    assert [f.shape[2] for f in features] == [16, 8, 4, 2]


def test_the_loss_reaches_every_parameter(config: dict) -> None:
    torch.manual_seed(0)
    model = MODELS.build(config).train()
    inputs = batch(2)
    data = {**inputs._asdict(), "labels": torch.randint(0, 4, (2, 64, 96), dtype=torch.uint8)}
    losses = model.loss(**model.data_preprocessor(data, True))
    sum(value for name, value in losses.items() if "loss" in name).backward()
    still = [name for name, p in model.named_parameters() if p.grad is None]
    assert not still
