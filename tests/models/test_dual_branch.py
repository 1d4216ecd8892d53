# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from perception.models import Batch
from perception.models.deploy import DeployGraph
from perception.models.dual_branch import glance_of, normalise
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


def test_the_deployed_graph_decides_as_softmax_and_argmax_do(model: torch.nn.Module) -> None:
    rgb = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    aux = torch.randint(0, 256, (1, 32, 48, 10), dtype=torch.uint8)
    present = torch.ones(1, 4)
    with torch.inference_mode():
        labels, confidence, weights = DeployGraph(model)(rgb, aux, present)
        logits = model.encode_decode(
            Batch(rgb.permute(0, 3, 1, 2).float(), aux.permute(0, 3, 1, 2).float(), present),
            [dict(img_shape=(64, 96))],
        )
    expected, classes = logits.softmax(1).max(1)
    assert labels.dtype == confidence.dtype == torch.uint8
    torch.testing.assert_close(labels.long(), classes)
    torch.testing.assert_close(confidence.float(), 255 * expected, atol=1, rtol=0)
    assert weights.shape == (1, 4)


def test_the_deployed_graph_weighs_by_the_pixels_that_were_trained_with(model: torch.nn.Module) -> None:
    torch.manual_seed(1)
    rgb = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    aux = torch.randint(0, 256, (1, 32, 48, 10), dtype=torch.uint8)
    trained: Any = copy.deepcopy(model)
    torch.nn.init.normal_(trained.backbone.condition.token[-1].weight)  # it begins as zeros, which weigh nothing
    whole = Batch(rgb.permute(0, 3, 1, 2).float(), aux.permute(0, 3, 1, 2).float(), torch.ones(1, 4))
    with torch.inference_mode():
        expected = trained.backbone.weigh(glance_of(normalise(whole)))
        got = DeployGraph(trained).weigh(rgb, aux, torch.ones(1, 4))
    assert expected[0].std() > 0.1
    for one, other in zip(expected, got, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


def test_a_head_of_mmsegs_can_be_deployed_too(config: dict) -> None:
    norm = dict(type="BN")
    head = dict(type="FCNHead", in_channels=256, channels=16, num_classes=4, norm_cfg=norm, align_corners=False)
    model = MODELS.build({**config, "decode_head": head}).eval()
    rgb = torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8)
    aux = torch.randint(0, 256, (1, 32, 48, 10), dtype=torch.uint8)
    with torch.inference_mode():
        labels, confidence, _ = DeployGraph(model)(rgb, aux, torch.ones(1, 4))
    assert labels.shape == confidence.shape == (1, 64, 96)
    assert labels.max() <= 3
    assert confidence.min() >= 63  # of four classes the likeliest has at least a quarter
