# SPDX-License-Identifier: Apache-2.0
"""ONNX Runtime: runs on CPUs and NVIDIA GPUs. Imports neither torch nor mmseg."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import onnxruntime

from perception.engines.base import NetworkOutput
from perception.engines.described import how_to_run
from perception.errors import ModelError
from perception.sensors import NetworkInput
from perception.sensors.encode import for_sensors
from perception.sensors.spec import sensors_of

INPUTS = ("rgb", "aux", "present")
OUTPUTS = ("labels", "confidence", "weights", "instances")
"""The last one only of a network with an instance head."""

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
_ERRORS_ONLY = 3


def open_session(
    path: Path, threads: int | None = None, providers: Sequence[str | tuple[str, Any]] | None = None
) -> onnxruntime.InferenceSession:
    """Any .onnx. Arguments as of `OnnxRuntimeEngine`. Raises ModelError for a file that is missing or not to be
    loaded."""
    if not path.is_file():
        raise ModelError(f"{path}: no such engine file; make it with `perception export --format onnx`")
    if providers is None:
        providers = [name for name in (CUDA, CPU) if name in onnxruntime.get_available_providers()]
    options = onnxruntime.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    if threads is not None:
        options.intra_op_num_threads = threads
    try:
        return onnxruntime.InferenceSession(path, options, providers=list(providers))
    except Exception as error:  # its errors have no base class of their own
        raise ModelError(f"{path}: ONNX Runtime cannot load it: {str(error).strip().splitlines()[-1]}") from error


class OnnxRuntimeEngine:
    """An exported .onnx, for any input size.

    threads: of the CPU; None leaves the choice to ONNX Runtime. providers: as `onnxruntime.InferenceSession` takes
    them; None takes CUDA if the installed build has it and finds a GPU, else the CPU. Raises ModelError for a file
    that is missing or not an exported perception network.
    """

    def __init__(
        self, path: str | Path, threads: int | None = None, providers: Sequence[str | tuple[str, Any]] | None = None
    ) -> None:
        path = Path(path)
        self._session = open_session(path, threads, providers)
        shapes = {port.name: port.shape for port in self._session.get_inputs()}
        # A network of the camera alone has no auxiliary channels, and its file no input for them.
        if {*shapes, "aux"} != set(INPUTS):
            raise ModelError(
                f"{path}: its inputs are {list(shapes)}, a perception network has {list(INPUTS)}; {how_to_run(path)}"
            )
        self._inputs = tuple(shapes)
        self.sensors = sensors_of(shapes["present"][1], shapes["aux"][3] if "aux" in shapes else 0)
        there = {port.name for port in self._session.get_outputs()}
        self._outputs = [name for name in OUTPUTS if name in there]

    @property
    def provider(self) -> str:
        """The provider that runs the network, for example CPUExecutionProvider."""
        return str(self._session.get_providers()[0])

    @property
    def name(self) -> str:
        """A description for users: the engine, its version and device."""
        return f"onnxruntime {onnxruntime.__version__} {self.provider.removesuffix('ExecutionProvider')}"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network."""
        network_input = for_sensors(network_input, self.sensors)
        outputs = self._session.run(self._outputs, {name: getattr(network_input, name)[None] for name in self._inputs})
        return NetworkOutput(*(output[0] for output in outputs))
