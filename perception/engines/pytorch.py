# SPDX-License-Identifier: Apache-2.0
"""PyTorch: runs a training's weights as they are; on the CPU the reference that exported engines are compared with.

What a GPU alone can run here, the captured graph, was written by PyTorch's documentation and not run yet: no GPU was
at hand.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

import torch
from mmcv.cnn import fuse_conv_bn
from torch import Tensor, nn

from perception.engines.base import NetworkOutput
from perception.engines.weights import build_model
from perception.models.deploy import DeployGraph
from perception.sensors import NetworkInput

MAX_CAPTURED = 4
"""Captured input sizes that are kept; the oldest goes first."""


class TorchEngine:
    """A .safetensors weights file on `device`; None takes the GPU where there is one.

    On a CPU it runs in float32. On a GPU it runs in bfloat16, or float16 where the GPU lacks that, with batch-norm
    folded, and as a CUDA graph that is captured once per input size. threads: of the CPU, for the whole process. Raises
    ModelError for a file that is not a checkpoint.
    """

    def __init__(self, path: str | Path, threads: int | None = None, device: str | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        graph = DeployGraph(build_model(path)).eval().to(self.device)
        self._dtype = torch.float32
        if self.device.type == "cuda":
            self._dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
            graph = reduce_precision(graph, self._dtype)
        self._graph = graph
        self._captured: dict[tuple[torch.Size, ...], _Captured] = {}

    @property
    def name(self) -> str:
        """For people: the engine, its version, device and precision."""
        return f"torch {torch.__version__} {self.device} {str(self._dtype).removeprefix('torch.')}"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network; on a GPU the first call with a new size captures it, which takes a moment."""
        arrays = (network_input.rgb, network_input.aux, network_input.present)
        inputs = tuple(torch.from_numpy(array)[None] for array in arrays)
        with torch.inference_mode(), autocast(self.device, self._dtype):
            outputs = self._replay(inputs) if self.device.type == "cuda" else self._graph(*inputs)
        return NetworkOutput(*(output[0].cpu().numpy() for output in outputs))

    def _replay(self, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        sizes = tuple(tensor.shape for tensor in inputs)
        if sizes not in self._captured:
            if len(self._captured) >= MAX_CAPTURED:
                self._captured.pop(next(iter(self._captured)))
            self._captured[sizes] = _capture(self._graph, tuple(tensor.to(self.device) for tensor in inputs))
        captured = self._captured[sizes]
        for static, tensor in zip(captured.inputs, inputs, strict=True):
            static.copy_(tensor)
        captured.graph.replay()
        return captured.outputs


class _Captured(NamedTuple):
    """A CUDA graph with the memory that it reads and writes."""

    graph: torch.cuda.CUDAGraph
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]


def _capture(model: nn.Module, inputs: tuple[Tensor, ...]) -> _Captured:
    """Record what `model` does with `inputs`, which from then on are the graph's own."""
    side = torch.cuda.Stream(inputs[0].device)
    side.wait_stream(torch.cuda.current_stream(inputs[0].device))
    with torch.cuda.stream(side):  # libraries choose their kernels and allocate before the capture, not in it
        for _ in range(3):
            model(*inputs)
    torch.cuda.current_stream(inputs[0].device).wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        outputs = model(*inputs)
    return _Captured(graph, inputs, outputs)


def reduce_precision(graph: DeployGraph, dtype: torch.dtype) -> DeployGraph:
    """`graph` for `autocast` to `dtype`, changed in place: batch-norm folded, convolutions' weights cast once.

    autocast then finds nothing left to cast but activations. In channels_last, which GPUs prefer.
    """
    graph = fuse_conv_bn(graph)
    for module in graph.modules():
        if isinstance(module, nn.Conv2d):
            module.to(dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return graph


def autocast(device: torch.device, dtype: torch.dtype) -> AbstractContextManager[object]:
    """PyTorch's autocast to `dtype`; nothing for float32. Without its cache, which must not outlive a capture."""
    if dtype == torch.float32:
        return nullcontext()
    return torch.autocast(device.type, dtype, cache_enabled=False)
