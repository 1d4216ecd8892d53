# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest
import torch

pytest.importorskip("mmseg")
from mmseg.models.utils.wrappers import Upsample
from torch import nn

from perception.models.exportable import ExportableAttention, ExportablePool, make_exportable


@pytest.mark.parametrize("cells", [1, 2, 3, 6])
@pytest.mark.parametrize("size", [(12, 39), (7, 5), (2, 4), (1, 1)])
def test_it_pools_as_pytorch_does(cells: int, size: tuple[int, int]) -> None:
    x = torch.randn(2, 3, *size)
    expected = nn.functional.adaptive_avg_pool2d(x, cells)
    torch.testing.assert_close(ExportablePool((cells, cells))(x), expected)


def test_poolings_to_more_than_one_cell_and_mmsegs_upsampling_are_replaced() -> None:
    image = torch.randn(1, 2, 3, 5)
    up = nn.Sequential(Upsample(scale_factor=2, mode="bilinear", align_corners=False))
    expected = up(image)
    make_exportable(up)
    assert isinstance(up[0], nn.Upsample)
    torch.testing.assert_close(up(image), expected)
    net: Any = nn.Sequential(
        nn.AdaptiveAvgPool2d(1), nn.Sequential(nn.AdaptiveAvgPool2d((2, 3))), nn.AdaptiveAvgPool2d(5)
    )
    make_exportable(net)
    assert isinstance(net[0], nn.AdaptiveAvgPool2d)
    assert (net[1][0].size, net[2].size) == ((2, 3), (5, 5))


@pytest.mark.parametrize("bias", [True, False])
def test_attention_is_pytorchs(bias: bool) -> None:
    torch.manual_seed(0)
    net = nn.ModuleDict(dict(attn=nn.MultiheadAttention(12, 3, bias=bias))).eval()
    query, key = torch.randn(10, 2, 12), torch.randn(4, 2, 12)
    with torch.inference_mode():
        expected = net["attn"](query, key, key)[0]
        make_exportable(net)
        assert isinstance(net["attn"], ExportableAttention)
        torch.testing.assert_close(net["attn"](query=query, key=key, value=key)[0], expected)
