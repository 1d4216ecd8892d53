# SPDX-License-Identifier: Apache-2.0
"""What several training processes compute as one would: sums, means and rows of the whole batch.

Of a batch of B crops, process r of N has rows r, r + N, r + 2N … A loss is written so that the mean of its values over
the processes is the value that one process has for the whole batch: DistributedDataParallel averages the gradients, so
they are those of one process too. With one process, or none of torch's groups, nothing here communicates.

Whoever calls a function of this module in one process has to call it in all of them, in the same order.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed


def processes() -> int:
    """How many train together."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """The number of this process among them, from 0."""
    return distributed.get_rank() if processes() > 1 else 0


def total(part: Tensor) -> Tensor:
    """The sum of `part`, of any shape, over all processes; without gradients."""
    part = part.detach()
    if processes() > 1:
        part = part.clone()
        distributed.all_reduce(part)
    return part


def mean(sum_of_part: Tensor, count: Tensor) -> Tensor:
    """The loss `sum_of_part` / `count` of the whole batch, both scalars of this process's part; 0 if nothing counts.

    Its mean over the processes is (the sum of all sums) / (the sum of all counts), which counts below 1 as 1.
    """
    return sum_of_part * processes() / total(count).clamp(min=1)


def gathered(rows: Tensor) -> Tensor:
    """`rows` (R, …) of all processes, one process after the other; R may differ between them.

    A loss of it is that of the whole batch in every process, and the gradient goes to this process's rows.
    """
    if processes() == 1:
        return rows
    whole: Tensor = _Gathered.apply(rows)
    return whole


def first_true(mask: Tensor, most: int) -> tuple[Tensor, int]:
    """The numbers (R,) of this process's rows that are among the first `most` of the whole batch where `mask` (B,) is
    true, and how many those are in all processes. B must be the same in all of them."""
    parts = gathered(mask.to(torch.uint8)).view(processes(), -1) > 0
    in_order = parts.T.flatten()
    chosen = in_order & (in_order.cumsum(0) <= most)
    own = chosen.view(-1, processes())[:, rank()]
    return own.nonzero()[:, 0], int(chosen.sum())


class _Gathered(torch.autograd.Function):
    """See `gathered`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        """All rows; processes with fewer send padding, which is cut off."""
        count = torch.tensor([len(rows)], device=rows.device)
        counts = [torch.empty_like(count) for _ in range(processes())]
        distributed.all_gather(counts, count)
        sizes = [int(each) for each in counts]
        padded = rows.new_zeros((max(sizes), *rows.shape[1:]))
        padded[: len(rows)] = rows
        parts = [torch.empty_like(padded) for _ in sizes]
        distributed.all_gather(parts, padded)
        ctx.first, ctx.rows = sum(sizes[: rank()]), len(rows)
        return torch.cat([part[:size] for part, size in zip(parts, sizes, strict=True)])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Times the number of processes, by which the mean of all gradients divides it again."""
        return gradients[0][ctx.first : ctx.first + ctx.rows] * processes()
