# SPDX-License-Identifier: Apache-2.0
"""Layers of PyTorch's that cannot be exported for any input size, rewritten with operations that every engine has."""

from __future__ import annotations

import torch
from mmseg.models.utils.wrappers import Upsample
from torch import Tensor, nn
from torch.nn import functional


class ExportablePool(nn.Module):
    """`nn.AdaptiveAvgPool2d` as two products of matrices: ONNX has no operator for sizes that do not divide the input.

    size: rows and columns of the result. forward: (B, C, H, W) → (B, C, *size).
    """

    def __init__(self, size: tuple[int, int]) -> None:
        super().__init__()
        self.size = size

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        rows, columns = (_shares(x.shape[2 + axis], self.size[axis], x) for axis in range(2))
        return rows @ x @ columns.transpose(0, 1)


def _shares(length: int, cells: int, like: Tensor) -> Tensor:
    """(cells, length) the share of each position in each cell's mean; cell i is from ⌊i·length/cells⌋ to
    ⌈(i + 1)·length/cells⌉."""
    at = torch.arange(length, device=like.device)[None]
    cell = torch.arange(cells, device=like.device)[:, None]
    inside = (at >= cell * length // cells) & (at < ((cell + 1) * length + cells - 1) // cells)
    shares = inside.to(like.dtype)
    return shares / shares.sum(1, keepdim=True)


class ExportableAttention(nn.Module):
    """A trained `nn.MultiheadAttention`, whose ONNX form is for the number of positions that it was exported with.

    forward: query (L, B, E), key and value (S, B, E) → (L, B, E) and None, for the weights that nobody asks for.
    """

    def __init__(self, attention: nn.MultiheadAttention) -> None:
        super().__init__()
        self.heads = attention.num_heads
        self.projections = nn.ModuleList()
        bias = attention.in_proj_bias
        for place, weight in enumerate(attention.in_proj_weight.chunk(3)):
            layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None)
            layer.weight = nn.Parameter(weight.detach().clone())
            if bias is not None:
                layer.bias = nn.Parameter(bias.chunk(3)[place].detach().clone())
            self.projections.append(layer)
        self.out_proj = attention.out_proj

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> tuple[Tensor, None]:
        """See the class."""
        inputs = zip(self.projections, (query, key, value), strict=True)
        q, k, v = (self._per_head(project(tensor)) for project, tensor in inputs)
        attended = functional.scaled_dot_product_attention(q, k, v)
        return self.out_proj(attended.permute(2, 0, 1, 3).flatten(2)), None

    def _per_head(self, x: Tensor) -> Tensor:
        """(L, B, E) → (B, heads, L, E/heads)."""
        return x.unflatten(2, (self.heads, x.shape[2] // self.heads)).permute(1, 2, 0, 3)


def make_exportable(module: nn.Module) -> None:
    """Replace every attention, every adaptive pooling to more than one cell, and mmseg's upsampling, which computes the
    size as a number, in `module`, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size not in (1, (1, 1)):
            size = child.output_size
            rows, columns = (size, size) if isinstance(size, int) else size  # type: ignore[misc]  # None is never given
            setattr(module, name, ExportablePool((int(rows or 1), int(columns or 1))))
        elif isinstance(child, nn.MultiheadAttention):
            setattr(module, name, ExportableAttention(child))
        elif isinstance(child, Upsample) and child.scale_factor:
            scale, mode, corners = child.scale_factor, child.mode, child.align_corners
            setattr(module, name, nn.Upsample(scale_factor=scale, mode=mode, align_corners=corners))
        else:
            make_exportable(child)
