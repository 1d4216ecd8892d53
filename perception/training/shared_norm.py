# SPDX-License-Identifier: Apache-2.0
"""Batch normalisation by the statistics of the whole batch, where several processes have a part of it each.

The same as torch.nn.SyncBatchNorm, which runs on GPUs only: this one runs on any device, with gloo and with NCCL.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from perception.models import across


class SharedBatchNorm(nn.BatchNorm2d):
    """A batch normalisation of 2D or more whose training statistics are those of all processes; else as torch's.

    forward: (B, C, …) of any B in each process → the same shape.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        """It stands for batch normalisations of every dimension."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if not self.training or across.processes() == 1:
            return super().forward(x)
        mean, variance, count = _statistics(x)
        if self.running_mean is not None and self.running_var is not None and self.num_batches_tracked is not None:
            self.num_batches_tracked += 1
            momentum = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
            self.running_mean.lerp_(mean, momentum)
            self.running_var.lerp_(variance * count / (count - 1), momentum)
        normalised: Tensor = _Normalise.apply(x, self.weight, self.bias, mean, variance, count, self.eps)
        return normalised


def share_statistics(model: nn.Module) -> None:
    """Replace every batch normalisation in `model` by a `SharedBatchNorm` of the same parameters and names."""
    for module in list(model.modules()):
        for name, child in module.named_children():
            if isinstance(child, _BatchNorm) and not isinstance(child, SharedBatchNorm):
                shared = SharedBatchNorm(
                    child.num_features, child.eps, child.momentum, child.affine, child.track_running_stats
                )
                shared.load_state_dict(child.state_dict())
                setattr(module, name, shared.train(child.training))


def _statistics(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean and biased variance (C,) float32 per channel, and the number of values per channel, over all processes.

    From the means and variances of the parts (Chan et al., 1979), not from sums of squares: these lose small variances.
    """
    variance, mean = torch.var_mean(x.detach().float(), _but_channels(x), correction=0)
    own = torch.cat([mean, variance, mean.new_tensor([x.numel() // x.shape[1]])])
    parts = [torch.empty_like(own) for _ in range(across.processes())]
    distributed.all_gather(parts, own)
    every = torch.stack(parts).double()
    channels = x.shape[1]
    means, variances, counts = every[:, :channels], every[:, channels:-1], every[:, -1:]
    count = counts.sum()
    whole = (means * counts).sum(0) / count
    spread = ((variances + (means - whole).square()) * counts).sum(0) / count
    return whole.float(), spread.float(), count.float()  # a tensor: a GPU need not be waited for


def _but_channels(x: Tensor) -> list[int]:
    return [dimension for dimension in range(x.dim()) if dimension != 1]


class _Normalise(torch.autograd.Function):
    """Normalise by statistics that are functions of the inputs of all processes."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor | None,
        bias: Tensor | None,
        mean: Tensor,
        variance: Tensor,
        count: Tensor,
        eps: float,
    ) -> Tensor:
        ctx.save_for_backward(x, weight, mean, variance, count)
        ctx.eps = eps
        return functional.batch_norm(x, mean, variance, weight, bias, training=False, eps=eps)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        x, weight, mean, variance, count = ctx.saved_tensors
        scale = (variance + ctx.eps).rsqrt()
        # As if the statistics were constants; then less what reaches the input through them.
        direct, by_weight, by_bias = torch.ops.aten.native_batch_norm_backward(
            gradients[0].contiguous(), x, weight, mean, variance, mean, scale, False, ctx.eps, [True, True, True]
        )
        sums = torch.stack([by_weight, by_bias]).float()
        distributed.all_reduce(sums)
        of_all_weight, of_all_bias = sums / count
        factor = scale if weight is None else scale * weight
        slope = factor * of_all_weight * scale
        shape = [1, -1] + [1] * (x.dim() - 2)
        through = x * slope.view(shape) + (factor * of_all_bias - slope * mean).view(shape)
        return (direct - through).to(x.dtype), by_weight, by_bias, None, None, None, None
