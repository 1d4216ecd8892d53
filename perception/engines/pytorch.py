# SPDX-License-Identifier: Apache-2.0
"""PyTorch: runs a training's weights as they are; the reference that exported engines are compared with."""

from __future__ import annotations

from pathlib import Path

import torch

from perception.engines.base import NetworkOutput
from perception.engines.weights import build_model
from perception.models.deploy import DeployGraph
from perception.sensors import NetworkInput


class TorchEngine:
    """A .safetensors weights file on `device`; None takes the GPU where there is one.

    threads: of the CPU, for the whole process. Raises ModelError for a file that is not a checkpoint.
    """

    def __init__(self, path: str | Path, threads: int | None = None, device: str | None = None) -> None:
        if threads is not None:
            torch.set_num_threads(threads)
        self.device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))
        self._graph = DeployGraph(build_model(path)).eval().to(self.device)

    @property
    def name(self) -> str:
        """For people: the engine, its version and device."""
        return f"torch {torch.__version__} {self.device}"

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network."""
        arrays = (network_input.rgb, network_input.aux, network_input.present)
        with torch.inference_mode():
            outputs = self._graph(*(torch.from_numpy(array)[None].to(self.device) for array in arrays))
        return NetworkOutput(*(output[0].cpu().numpy() for output in outputs))
