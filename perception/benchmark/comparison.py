# SPDX-License-Identifier: Apache-2.0
"""The benchmark's first step: our network and its peers in every precision."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

from perception.benchmark.networks import compare, export_peers
from perception.engines.openvino import OpenVinoEngine
from perception.engines.precision import precisions
from perception.errors import PerceptionError
from perception.extras import needs
from perception.reporting.progress import Steps
from perception.sensors import NetworkInput

INT8 = "int8"


class Networks:
    """Compares `model`, an OpenVINO file, with its peers; if it is NAME_int8.xml, NAME.xml is compared too.

    precision: of floating-point networks; None for all that the machine supports.
    default: the precision in which `model` runs here by default. Raises PerceptionError for an unsupported precision.
    """

    def __init__(self, model: Path, threads: int, precision: str | None) -> None:
        self._model, self._threads = model, threads
        there = precisions()
        if precision is not None and precision not in there:
            raise PerceptionError(f"--precision {precision}: this processor computes in {', '.join(there)}")
        self.float_precisions = [precision] if precision else there
        self._is_int8 = INT8 in OpenVinoEngine(model).name.split()
        floats = model.with_name(f"{model.stem.removesuffix('_int8')}.xml")
        self._floats = (floats if floats != model and floats.is_file() else None) if self._is_int8 else model
        self.default = INT8 if self._is_int8 else self.float_precisions[-1]

    def measure(
        self,
        inputs: Sequence[NetworkInput],
        rounds: int,
        peers: bool,
        int8: bool,
        steps: Steps,
        own_input: NetworkInput | None = None,
    ) -> dict[str, dict[str, Any]]:
        """By network, then by precision; see `compare`. inputs: the first is run, all of them calibrate INT8."""
        found: dict[str, dict[str, Any]] = {}
        with tempfile.TemporaryDirectory() as folder:
            others = _export(Path(folder), steps) if peers else {}
            files = dict.fromkeys(self.float_precisions, (self._floats, others)) if self._floats else {}
            if int8 or self._is_int8:
                files[INT8] = self._quantised(Path(folder), others, inputs, steps)
            for precision, (model, beside) in files.items():
                with steps.step(
                    f"networks {precision}", f"networks in {precision}", rounds * (2 + len(beside))
                ) as done:
                    floats = precision if precision in self.float_precisions else self.float_precisions[-1]
                    compared = compare(model, beside, inputs[0], self._threads, floats, rounds, done, own_input)
                for name, figures in compared.items():
                    found.setdefault(name, {})[precision] = figures
        return found

    def _quantised(
        self, folder: Path, peers: dict[str, Path], inputs: Sequence[NetworkInput], steps: Steps
    ) -> tuple[Path, dict[str, Path]]:
        with needs("INT8", "int8"):
            from perception.benchmark.int8 import quantise_model, quantise_peers
        # NNCF draws its own progress bars, which cannot be switched off.
        with steps.step("quantise", "quantising", 1 + len(peers)) as done, redirect_stdout(StringIO()):
            model = self._model if self._is_int8 else quantise_model(self._model, inputs, folder)
            done()
            return model, quantise_peers(peers, inputs, done)


def _export(folder: Path, steps: Steps) -> dict[str, Path]:
    with needs("the peers (--no-peers leaves them out)", "train"):
        from perception.benchmark.peers import PEERS
    with steps.step("export", "exporting the peers", len(PEERS)) as done:
        return export_peers(folder, done)
