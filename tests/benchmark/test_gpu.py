# SPDX-License-Identifier: Apache-2.0
"""What can be said of the GPU's script without one: its input fits the network, and its table the document."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.engines.pytorch import TorchEngine
from perception.paths import weights_path

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


def test_the_input_is_one_that_the_shipped_network_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    gpu = importlib.import_module("gpu")
    monkeypatch.delitem(sys.modules, "gpu")
    output = TorchEngine(weights_path("dual_branch_s.safetensors"), device="cpu").infer(gpu.random_input())
    assert output.labels.shape == (384, 1248)


@pytest.mark.skipif(shutil.which("nvidia-smi") is not None, reason="needs a machine without an NVIDIA GPU")
def test_without_a_gpu_the_script_says_so() -> None:
    done = subprocess.run([SCRIPTS / "gpu.sh"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is there an NVIDIA GPU" in done.stderr
