# SPDX-License-Identifier: Apache-2.0
"""Max pooling that remembers where each maximum was, and its inverse, of operations that ONNX and OpenVINO have.

PyTorch's `max_unpool2d` can be exported to neither.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def max_pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """2×2 max pooling of (B, C, H, W), both even → (B, C, H/2, W/2), and the places (B, C, 4, H/2, W/2) of the maxima.

    places: 0 or 1, of the four pixels of each cell, row by row; 1 for the first maximum, as in PyTorch's indices.
    """
    cells = [x[:, :, row::2, column::2] for row in range(2) for column in range(2)]
    pooled = functional.max_pool2d(x, 2)
    places, taken = [], torch.zeros_like(pooled)
    for cell in cells:
        first = (cell >= pooled).to(x.dtype) * (1 - taken)
        places.append(first)
        taken = taken + first
    return pooled, torch.stack(places, 2).detach()


def max_unpool(x: Tensor, places: Tensor) -> Tensor:
    """(B, C, h, w) → (B, C, 2·h, 2·w), each value at its place of `max_pool`, zeros elsewhere."""
    return functional.pixel_shuffle((x[:, :, None] * places).flatten(1, 2), 2)
