# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

import torch
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
