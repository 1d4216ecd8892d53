# SPDX-License-Identifier: Apache-2.0
"""Makes PyTorch fast on an NVIDIA GPU at batch 1: fewer and smaller steps, recorded once, side by side.

At this size a GPU spends its time on starting kernels, not in them: so batch-norm is folded, weights are cast once, and
the whole network is captured as a CUDA graph, in which the auxiliary branch runs beside the camera's. `torch.compile`
then fuses the remaining element-wise steps.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple, cast

import torch
from mmcv.cnn import ConvModule
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from perception.models.deploy import DeployGraph
from perception.models.dual_branch import DualBranchEncoder


class Captured(NamedTuple):
    """A CUDA graph with the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


class SideBySide(nn.Module):
    """A `DeployGraph` of two branches whose auxiliary branch has its own CUDA stream.

    compiled: each branch, and the steps after them, are compiled with `torch.compile`, once per input size.
    forward: as in `DeployGraph`, with all inputs on the GPU.
    """

    def __init__(self, graph: DeployGraph, compiled: bool = False) -> None:
        super().__init__()
        self.graph = graph
        make: Callable[[Any], Any] = _compile if compiled else lambda part: part
        self._weigh, self._see = make(graph.weigh), make(graph.see)
        self._sense, self._decide = make(graph.sense), make(graph.decide)
        self._side = torch.cuda.Stream()

    def forward(self, rgb: Tensor, aux: Tensor, present: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        main = torch.cuda.current_stream()
        lean, gains = self._weigh(rgb, aux, present)
        self._side.wait_stream(main)
        with torch.cuda.stream(self._side):
            sensed, shares = self._sense(aux, present, gains)
        seen = self._see(rgb)
        main.wait_stream(self._side)
        decided: tuple[Tensor, ...] = self._decide(seen, sensed, shares, present, lean, rgb.shape[1:3])
        return decided


def prepare(graph: DeployGraph, dtype: torch.dtype, compiled: bool) -> nn.Module:
    """`graph`, in eval mode and on a GPU, prepared for `capture`; changes it in place."""
    graph = reduce_precision(graph, dtype)
    if isinstance(graph.encoder, DualBranchEncoder):
        return SideBySide(graph, compiled)
    return cast("nn.Module", _compile(graph) if compiled else graph)


def capture(model: nn.Module, inputs: tuple[Tensor, ...]) -> Captured:
    """Record what `model` does with `inputs`, which then belong to the graph. The model must outlive it."""
    side = torch.cuda.Stream(inputs[0].device)
    side.wait_stream(torch.cuda.current_stream(inputs[0].device))
    with torch.cuda.stream(side):  # so that libraries choose their kernels and allocate before the capture
        for _ in range(3):
            model(*inputs)
    torch.cuda.current_stream(inputs[0].device).wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = model(*inputs)
    return Captured(graph, inputs, outputs)


def reduce_precision(graph: DeployGraph, dtype: torch.dtype) -> DeployGraph:
    """`graph` for `autocast` to `dtype`, changed in place: batch-norm folded, convolutions' weights cast once.

    autocast then only has to cast activations. In channels_last, which GPUs prefer.
    """
    fold_batch_norm(graph)
    for module in graph.modules():
        if isinstance(module, nn.Conv2d):
            module.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return graph


def fold_batch_norm(module: nn.Module) -> None:
    """Fold every batch-norm of `module`, in eval mode, into the convolution right before it; changes it in place.

    A batch-norm before its convolution, as in ConvModules with another order than usual, is kept: mmcv's
    `fuse_conv_bn` would fold it into the wrong one.
    """
    if isinstance(module, ConvModule) and tuple(module.order[:2]) != ("conv", "norm"):
        return
    before: str | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and before is not None:
            convolution = cast("nn.Conv2d", module.get_submodule(before))
            setattr(module, before, fuse_conv_bn_eval(convolution, child))
            setattr(module, name, nn.Identity())
        elif not isinstance(child, nn.Conv2d):
            fold_batch_norm(child)
        before = name if isinstance(child, nn.Conv2d) else None


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """PyTorch's autocast to `dtype`; nothing for float32. Without its cache, which must not outlive a capture."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype, cache_enabled=False)


def _compile(part: Any) -> Any:
    return torch.compile(part, dynamic=False)
