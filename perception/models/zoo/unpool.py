# SPDX-License-Identifier: Apache-2.0
"""Max pooling that remembers where each maximum was, and its inverse, of operations that ONNX and OpenVINO have.

PyTorch's `max_unpool2d` can be exported to neither.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def max_pool(x: Tensor) -> tuple[Tensor, Tensor]:
    """2×2 max pooling of (B, C, H, W), both even → (B, C, H/2, W/2), and the places (B, 4·C, H/2, W/2) of the maxima.

    places: 0 or 1, for each channel the four pixels of its cell, row by row; 1 for the first maximum, as in PyTorch's
    indices.
    """
    cells = functional.pixel_unshuffle(x, 2).unflatten(1, (x.shape[1], 4))
    pooled = cells.amax(2)
    places, taken = [], torch.zeros_like(pooled)
    for cell in cells.unbind(2):
        first = (cell >= pooled).to(x.dtype) * (1 - taken)
        places.append(first)
        taken = taken + first
    return pooled, torch.stack(places, 2).flatten(1, 2).detach()


def max_unpool(x: Tensor, places: Tensor) -> Tensor:
    """(B, C, h, w) → (B, C, 2·h, 2·w), each value at its place of `max_pool`, zeros elsewhere."""
    return functional.pixel_shuffle(x.repeat_interleave(4, 1) * places, 2)
