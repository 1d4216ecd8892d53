# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.models.slim_resnet import SlimResNet, WideKernelBlock  # noqa: E402


def test_features_have_the_widths_and_strides_that_were_asked_for() -> None:
    network = SlimResNet(channels=(8, 16, 24), hidden=((4,), (16, 8), (8,)), stem=(4, 8), wide=(0, 1, 2))
    features = network(torch.randn(1, 3, 64, 96))
    assert [tuple(f.shape[1:]) for f in features] == [(8, 16, 24), (16, 8, 12), (24, 4, 6)]


def test_a_new_wide_kernel_block_is_the_identity() -> None:
    x = torch.randn(1, 8, 12, 12)
    torch.testing.assert_close(WideKernelBlock(8).eval()(x), x)


def test_a_wide_kernel_block_learns_nonetheless() -> None:
    block = WideKernelBlock(8)
    block(torch.randn(2, 8, 12, 12)).square().sum().backward()
    assert block.project.bn.weight.grad.abs().sum() > 0
