# SPDX-License-Identifier: Apache-2.0
"""Adaptive average pooling of operations that every engine has, for any input size."""

from __future__ import annotations

import torch
from torch import Tensor, nn


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


def make_exportable(module: nn.Module) -> None:
    """Replace every adaptive pooling to more than one cell in `module`, in place."""
    for name, child in module.named_children():
        if isinstance(child, nn.AdaptiveAvgPool2d) and child.output_size not in (1, (1, 1)):
            size = child.output_size
            assert size is not None
            rows, columns = (size, size) if isinstance(size, int) else size
            assert rows is not None
            assert columns is not None
            setattr(module, name, ExportablePool((rows, columns)))
        else:
            make_exportable(child)
