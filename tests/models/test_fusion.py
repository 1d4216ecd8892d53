# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import perception.models  # noqa: F401

FUSIONS = [
    "AddFusion",
    "MaxFusion",
    "ConditionFusion",
    "ConcatFusion",
    "SEFusion",
    "CBAMFusion",
    "CrossAttentionFusion",
    "GatedAttentionFusion",
]


@pytest.fixture(params=FUSIONS)
def fusion(request: pytest.FixtureRequest) -> torch.nn.Module:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    return MODELS.build(dict(type=request.param, channels=16, aux_channels=8)).eval()


def test_keeps_the_rgb_shape_and_tells_the_shares(fusion: torch.nn.Module) -> None:
    fused, shares = fusion(torch.randn(2, 16, 6, 10), torch.randn(2, 8, 6, 10), torch.ones(2, 2), torch.zeros(2, 1))
    assert fused.shape == (2, 16, 6, 10)
    torch.testing.assert_close(shares.sum(1), torch.ones(2))
    assert (shares > 0).all()


@pytest.mark.parametrize("absent", [0, 1])
def test_what_is_absent_changes_nothing(fusion: torch.nn.Module, absent: int) -> None:
    present = torch.ones(1, 2)
    present[:, absent] = 0
    inputs = [torch.randn(1, 16, 6, 10), torch.randn(1, 8, 6, 10)]
    with torch.inference_mode():
        fused, shares = fusion(*inputs, present, torch.zeros(1, 1))
    inputs[absent] = torch.randn_like(inputs[absent]) * 100
    with torch.inference_mode():
        again, _ = fusion(*inputs, present, torch.zeros(1, 1))
    torch.testing.assert_close(fused, again)
    assert shares[0, absent] == 0
    assert shares[0, 1 - absent] == pytest.approx(1, abs=1e-6)


def test_learns_through_both_branches(fusion: torch.nn.Module) -> None:
    rgb = torch.randn(2, 16, 6, 10, requires_grad=True)
    aux = torch.randn(2, 8, 6, 10, requires_grad=True)
    fusion.train()(rgb, aux, torch.ones(2, 2), torch.zeros(2, 1))[0].square().sum().backward()
    assert rgb.grad.abs().sum() > 0
    assert aux.grad.abs().sum() > 0


def test_can_be_traced_for_export(fusion: torch.nn.Module) -> None:
    inputs = torch.randn(1, 16, 6, 10), torch.randn(1, 8, 6, 10), torch.ones(1, 2), torch.zeros(1, 1)
    with torch.inference_mode():
        traced = torch.jit.trace(fusion, inputs)
        torch.testing.assert_close(traced(*inputs), fusion(*inputs))


def test_a_lean_moves_the_gate_to_the_camera() -> None:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    gated = MODELS.build(dict(type="GatedAttentionFusion", channels=16, aux_channels=8)).eval()
    inputs = torch.randn(1, 16, 6, 10), torch.randn(1, 8, 6, 10), torch.ones(1, 2)
    with torch.inference_mode():
        shares = [gated(*inputs, torch.full((1, 1), lean))[1][0, 0].item() for lean in (-2.0, 0.0, 2.0)]
        alone = gated(*inputs[:2], torch.tensor([[0.0, 1.0]]), torch.full((1, 1), 9.0))[1]
    assert shares[0] < shares[1] < shares[2]
    assert alone.tolist() == [[0, 1]]  # an absent camera gets nothing, however much is leant to it


def test_the_condition_shifts_the_weight_between_the_branches() -> None:
    init_default_scope("mmseg")
    fusion = MODELS.build(dict(type="ConditionFusion", channels=16, aux_channels=8)).eval()
    inputs = torch.rand(1, 16, 6, 10), torch.rand(1, 8, 6, 10), torch.ones(1, 2)
    with torch.inference_mode():
        _, shares = fusion(*inputs, torch.full((1, 1), 2.0))
    assert shares[0].tolist() == pytest.approx([0.8808, 0.1192], abs=1e-4)
