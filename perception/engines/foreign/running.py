# SPDX-License-Identifier: Apache-2.0
"""Runs any .onnx or .xml: arrays in, arrays out, by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from perception.errors import ModelError


class Port(NamedTuple):
    """An input or output of a file; those without a name, which OpenVINO has, are counted.

    shape: None for a side of any length, None as a whole if even their number is not said. dtype: None for a kind that
    NumPy has not.
    """

    name: str
    shape: tuple[int | None, ...] | None
    dtype: np.dtype[Any] | None


class Runner(Protocol):
    """A file in a library that runs it. name: the library, its version and device."""

    name: str
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]

    def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The outputs by name. Raises ModelError where the library fails."""


class OnnxRuntimeRunner:
    """By ONNX Runtime. threads: see `OnnxRuntimeEngine`."""

    def __init__(self, path: Path, threads: int | None = None) -> None:
        import onnxruntime

        from perception.engines.onnxruntime import open_session

        self._session = open_session(path, threads)
        self.name = f"onnxruntime {onnxruntime.__version__} "
        self.name += self._session.get_providers()[0].removesuffix("ExecutionProvider")
        self.inputs = tuple(map(_port_of_onnx, self._session.get_inputs()))
        self.outputs = tuple(map(_port_of_onnx, self._session.get_outputs()))

    def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `Runner`."""
        names = [port.name for port in self.outputs]
        try:
            return dict(zip(names, self._session.run(names, dict(arrays)), strict=True))
        except Exception as error:  # its errors have no base class of their own
            raise ModelError(f"ONNX Runtime: {_last_line(error)}") from error


class OpenVinoRunner:
    """By OpenVINO in float32, also of an .onnx. threads, device: see `OpenVinoEngine`."""

    def __init__(self, path: Path, threads: int | None = None, device: str = "CPU") -> None:
        from perception.engines.light_openvino import openvino
        from perception.engines.openvino import open_model

        core = openvino.Core()
        model = open_model(core, path)
        settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU":
            # What is known of other precisions is known of our networks alone.
            settings["INFERENCE_PRECISION_HINT"] = "f32"
            if threads is not None:
                settings["INFERENCE_NUM_THREADS"] = threads
        try:
            compiled = core.compile_model(model, device, settings)
        except RuntimeError as error:
            raise ModelError(f"{path}: OpenVINO cannot compile it: {_last_line(error)}") from error
        self._request = compiled.create_infer_request()
        self.name = f"openvino {openvino.__version__.split('-')[0]} {device}"
        self.inputs = tuple(_port_of_openvino(port, f"input {k}") for k, port in enumerate(compiled.inputs))
        self.outputs = tuple(_port_of_openvino(port, f"output {k}") for k, port in enumerate(compiled.outputs))

    def __call__(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """See `Runner`."""
        try:
            self._request.infer([arrays[port.name] for port in self.inputs])
        except RuntimeError as error:
            raise ModelError(f"OpenVINO: {_last_line(error)}") from error
        tensors = self._request.output_tensors
        return {port.name: tensor.data.copy() for port, tensor in zip(self.outputs, tensors, strict=True)}


_ONNX_TYPES = {"tensor(float)": "float32", "tensor(float16)": "float16", "tensor(double)": "float64"}


def _port_of_onnx(port: Any) -> Port:
    kind = _ONNX_TYPES.get(port.type, port.type.removeprefix("tensor(").removesuffix(")"))
    shape = None if port.shape is None else tuple(side if isinstance(side, int) else None for side in port.shape)
    return Port(port.name, shape, _dtype(kind))


def _port_of_openvino(port: Any, otherwise: str) -> Port:
    """otherwise: the name of one that has none."""
    partial = port.get_partial_shape()
    shape = None if partial.rank.is_dynamic else tuple(None if s.is_dynamic else s.get_length() for s in partial)
    kind = str(np.dtype(port.get_element_type().to_dtype()))
    return Port(port.get_any_name() if port.names else otherwise, shape, _dtype(kind))


def _dtype(kind: str) -> np.dtype[Any] | None:
    try:
        return np.dtype(kind)
    except TypeError:
        return None


def _last_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [repr(error)])[-1]
