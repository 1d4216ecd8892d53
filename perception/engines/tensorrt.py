# SPDX-License-Identifier: Apache-2.0
"""TensorRT, through ONNX Runtime's provider for it, which builds, caches and runs its engines.

Written from ONNX Runtime's documentation, and not run yet: no GPU was available.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import onnxruntime
import tensorrt

from perception.engines.base import NetworkOutput
from perception.engines.onnxruntime import CUDA, OnnxRuntimeEngine
from perception.errors import ModelError
from perception.sensors import NetworkInput

TENSORRT = "TensorrtExecutionProvider"


class TensorRtEngine:
    """An exported .onnx in float16 on an NVIDIA GPU; each new input size builds an engine, which may take minutes.

    Engines are kept beside the .onnx in the folder NAME_tensorrt_VERSION_HASH, in files that ONNX Runtime names after
    the graph, its input and the GPU's architecture. threads: of the CPU. Raises ModelError if the GPU or ONNX
    Runtime's build for it is missing, and as `OnnxRuntimeEngine` does.
    """

    def __init__(self, path: str | Path, threads: int | None = None) -> None:
        if TENSORRT not in onnxruntime.get_available_providers():
            raise ModelError(
                "engine tensorrt: this build of ONNX Runtime lacks TensorRT: "
                "pip uninstall onnxruntime, then pip install onnxruntime-gpu"
            )
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"{path}: no such engine file; make it with `perception export --format onnx`")
        # ONNX Runtime's file names do not depend on the weights: new weights must not use an old engine.
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
        options = {
            "trt_fp16_enable": True,
            "trt_engine_cache_enable": True,
            "trt_engine_cache_path": str(path.with_name(f"{path.stem}_tensorrt_{tensorrt.__version__}_{digest}")),
        }
        self._engine = OnnxRuntimeEngine(path, threads, [(TENSORRT, options), CUDA])
        self.sensors = self._engine.sensors
        if self._engine.provider != TENSORRT:
            raise ModelError("engine tensorrt: TensorRT found no GPU that it can use (`nvidia-smi` lists them)")

    @property
    def name(self) -> str:
        """A description for users: the engine and its version."""
        return f"tensorrt {tensorrt.__version__} fp16"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network."""
        return self._engine.infer(network_input)
