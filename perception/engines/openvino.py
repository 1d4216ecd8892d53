# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: the default on CPUs. Imports neither torch nor mmseg."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openvino
from numpy.typing import NDArray

from perception.engines.base import NetworkOutput
from perception.errors import ModelError
from perception.sensors import NetworkInput
from perception.sensors.encode import AUX_SCALE

INPUTS = ("rgb", "aux", "present")
MAX_COMPILED = 4
"""Compiled sizes that are kept; the oldest goes first."""


class OpenVinoEngine:
    """An exported .xml, compiled once for every input size that it meets.

    threads: of the CPU plugin; None leaves the choice to OpenVINO. precision: of the arithmetic, f32 or bf16; None
    takes bf16 where the processor computes in it: about twice as fast for labels that agree on 99.9 % of the pixels.
    Raises ModelError for a file that is missing or not an exported perception network.
    """

    def __init__(
        self, path: str | Path, threads: int | None = None, device: str = "CPU", precision: str | None = None
    ) -> None:
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"{path}: no such engine file; make it with `perception export`")
        self.device = device
        self._core = openvino.Core()
        try:
            self._model = self._core.read_model(path)
            names = [port.get_any_name() for port in self._model.inputs]
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot read it: {str(error).strip().splitlines()[-1]}") from error
        if sorted(names) != sorted(INPUTS):
            raise ModelError(f"{path}: its inputs are {names}, a perception network has {list(INPUTS)}")
        self._settings: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": precision or self._fastest(),
        }
        if threads is not None:
            self._settings["INFERENCE_NUM_THREADS"] = threads
        self._compiled: dict[tuple[int, int], openvino.InferRequest] = {}

    @property
    def name(self) -> str:
        """For people: the engine, its version and device."""
        return (
            f"openvino {openvino.__version__.split('-')[0]} {self.device} {self._settings['INFERENCE_PRECISION_HINT']}"
        )

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network; the first call with a new size compiles it, which takes about half a second."""
        height, width = network_input.rgb.shape[:2]
        request = self._compiled.get((height, width)) or self._compile(height, width)
        inputs: tuple[NDArray[Any], ...] = (network_input.rgb, network_input.aux, network_input.present)
        # shared_memory: the arrays live until infer() returns, a copy would be waste.
        request.infer({name: value[None] for name, value in zip(INPUTS, inputs, strict=True)}, share_inputs=True)
        labels, confidence, weights = (request.get_output_tensor(i).data[0].copy() for i in range(3))
        return NetworkOutput(labels, confidence, weights)

    def _fastest(self) -> str:
        return "bf16" if "BF16" in self._core.get_property(self.device, "OPTIMIZATION_CAPABILITIES") else "f32"

    def _compile(self, height: int, width: int) -> openvino.InferRequest:
        channels = self._model.input("aux").get_partial_shape()[3].get_length()
        modalities = self._model.input("present").get_partial_shape()[1].get_length()
        model = self._model.clone()
        model.reshape(
            {
                "rgb": [1, height, width, 3],
                "aux": [1, height // AUX_SCALE, width // AUX_SCALE, channels],
                "present": [1, modalities],
            }
        )
        if len(self._compiled) >= MAX_COMPILED:
            self._compiled.pop(next(iter(self._compiled)))
        request = self._core.compile_model(model, self.device, self._settings).create_infer_request()
        self._compiled[height, width] = request
        return request
