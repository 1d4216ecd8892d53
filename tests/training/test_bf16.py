# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmengine")

import torch

from perception.engines import precision
from perception.training.bf16 import Bf16OptimWrapper, computes_in_bf16


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU trains")
@pytest.mark.parametrize(
    ("known", "cpuinfo", "expected"),
    [
        ({"avx512_bf16": True}, "AuthenticAMD avx512_bf16", True),
        ({"avx512_bf16": True, "amx_bf16": True}, "GenuineIntel avx512_bf16 amx_bf16", True),
        ({"avx512_bf16": True}, "GenuineIntel avx512_bf16", False),  # at half of float32's speed
        ({"bf16": True}, "ARM", True),
        ({"avx2": True, "avx512_bf16": False}, "GenuineIntel avx2", False),
        ({}, "", False),
    ],
)
def test_only_processors_that_are_faster_in_it_compute_in_it(
    known: dict[str, bool], cpuinfo: str, expected: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text(cpuinfo)
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: known)
    assert computes_in_bf16() is expected


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU trains")
def test_the_forward_pass_alone_is_in_bfloat16() -> None:
    """1 + 2⁻¹⁰ has no neighbour in bfloat16 but 1; the weights, and steps on them, stay in float32."""
    torch.manual_seed(0)
    layer = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.constant_(layer.weight, 1 + 2**-10)
    wrapper = Bf16OptimWrapper(torch.optim.SGD(layer.parameters(), lr=2**-12))
    one = torch.ones(1, 1)
    with wrapper.optim_context(layer):
        inside = layer(one)
    assert inside.dtype == torch.bfloat16
    assert inside.item() == 1
    assert layer(one).item() == 1 + 2**-10
    wrapper.update_params(inside.float().sum())
    assert layer.weight.dtype == torch.float32
    assert layer.weight.item() == 1 + 2**-10 - 2**-12
