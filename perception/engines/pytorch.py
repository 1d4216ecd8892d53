# SPDX-License-Identifier: Apache-2.0
"""PyTorch: runs trained weights directly; on the CPU it is the reference that exported engines are compared with."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from perception.engines.base import NetworkOutput
from perception.engines.cuda import Captured, autocast, capture, prepare
from perception.engines.weights import build_model
from perception.errors import ModelError
from perception.models.aux_stem import sensors_in
from perception.models.deploy import DeployGraph
from perception.sensors import NetworkInput
from perception.sensors.encode import for_sensors

MAX_CAPTURED = 4
"""The number of captured input sizes that are kept; the oldest is removed first."""


class TorchEngine:
    """A .safetensors weights file on `device`; None takes the GPU if there is one.

    On a CPU it runs in float32. On a GPU it runs in bfloat16, or float16 if the GPU lacks that, with batch-norm
    folded, and as a CUDA graph that is captured once per input size. threads: of the CPU, for the whole process.
    compiled: on a GPU, with `torch.compile`, which is slow for each new input size. Raises ModelError for a
    file that is not a checkpoint, and for `compiled` without a GPU.
    """

    def __init__(
        self, path: str | Path, threads: int | None = None, device: str | None = None, compiled: bool = False
    ) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        if compiled and self.device.type != "cuda":
            raise ModelError("engine torch-compiled: PyTorch finds no NVIDIA GPU (`nvidia-smi` lists them)")
        segmentor = build_model(path)
        self.sensors = sensors_in(segmentor)
        graph = DeployGraph(segmentor).eval().to(self.device)
        self._graph: nn.Module = graph
        self._compiled = compiled
        self._dtype = torch.float32
        if self.device.type == "cuda":
            self._dtype = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
            self._graph = prepare(graph, self._dtype, compiled)
        self._captured: dict[tuple[torch.Size, ...], Captured] = {}

    @property
    def name(self) -> str:
        """A description for users: the engine, its version, device and precision."""
        precision = str(self._dtype).removeprefix("torch.")
        return f"torch {torch.__version__} {self.device} {precision}{' compiled' if self._compiled else ''}"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network; on a GPU the first call with a new size captures it, which takes a moment."""
        network_input = for_sensors(network_input, self.sensors)
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
            self._captured[sizes] = capture(self._graph, tuple(tensor.to(self.device) for tensor in inputs))
        captured = self._captured[sizes]
        for static, tensor in zip(captured.inputs, inputs, strict=True):
            static.copy_(tensor)
        captured.graph.replay()
        return captured.outputs
