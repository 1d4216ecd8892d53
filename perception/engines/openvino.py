# SPDX-License-Identifier: Apache-2.0
"""OpenVINO: the default, on CPUs and Intel GPUs. Imports neither torch nor mmseg."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from perception.engines.base import NetworkOutput
from perception.engines.described import how_to_run
from perception.engines.light_openvino import openvino
from perception.engines.precision import precisions
from perception.engines.specialise import leaves_something_out, specialise
from perception.errors import ModelError
from perception.memory import give_back
from perception.sensors import NetworkInput
from perception.sensors.encode import AUX_SCALE, for_sensors
from perception.sensors.spec import sensors_of

_log = logging.getLogger(__name__)

INPUTS = ("rgb", "aux", "present")
OUTPUTS = ("labels", "confidence", "weights", "instances")
"""In their order; the last one only of a network with an instance head."""

MAX_WHOLE = 4
"""The number of compiled graphs for all sensors that are kept; the oldest is removed first."""

IDLE = 256
"""Runs after which a size that was in none of them is forgotten: a graph is 70 MB."""

MAX_NARROW = 4
"""The number of compiled graphs for some sensors, of 80 MB each at 1248×384; the first ones that are needed stay."""

CACHED = 2
"""The number of graphs that are kept for the next start: those of an engine that looks twice."""

PATIENCE = 5
"""Frames without some sensors after which a graph for the others is compiled."""


_Key = tuple[int, int, tuple[bool, ...]]
"""Height, width, and which sensors are present."""


class _Graph(NamedTuple):
    """A compiled graph and the names of its inputs."""

    request: openvino.InferRequest
    inputs: tuple[str, ...]


class OpenVinoEngine:
    """An exported .xml, compiled once for every input size.

    For a subset of sensors that leaves one branch idle, a graph without that branch is compiled after PATIENCE frames,
    in a separate thread while the whole graph continues to run. In f32 both give the same labels; bf16 and
    INT8 round at other places and differ on about one pixel in a thousand. If compiling or running it fails, which
    is logged once, the whole graph is used from then on, also for that frame.

    threads: of the CPU; None leaves the choice to OpenVINO. device: CPU, GPU (Intel's) or AUTO. precision: of the CPU's
    float arithmetic, f32 or bf16; None takes the faster (`precisions`), and their labels agree on 99.9 % of the pixels.
    cache: a folder for the first graphs in compiled form, which makes the next start faster; None keeps nothing. Raises
    ModelError for a file that is missing or not an exported perception network, and for a device that does not exist.

    The file is read anew for each graph after the first: a model in memory is 30 MB, and no graph needs it once it is
    compiled.
    """

    def __init__(
        self,
        path: str | Path,
        threads: int | None = None,
        device: str = "CPU",
        precision: str | None = None,
        cache: Path | None = None,
    ) -> None:
        self._core = openvino.Core()
        if device not in ("AUTO", *(name.split(".")[0] for name in self._core.available_devices)):
            there = ", ".join(self._core.available_devices)
            raise ModelError(f"OpenVINO finds no {device} here, only {there}: is the device's driver installed?")
        self.device = device
        self._path, self._version = Path(path), _version(Path(path))
        model = _read(self._core, self._path)
        self._unused: openvino.Model | None = model
        self._modalities, self._channels = (
            model.input(name).get_partial_shape()[axis].get_length() for name, axis in (("present", 1), ("aux", 3))
        )
        self.sensors = sensors_of(self._modalities, self._channels)
        self._settings: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if device == "CPU":
            self._settings["INFERENCE_PRECISION_HINT"] = precision or precisions(device)[-1]
            if threads is not None:
                self._settings["INFERENCE_NUM_THREADS"] = threads
        int8 = any(node.get_type_name() == "FakeQuantize" for node in model.get_ops())
        self._precision = ["int8"] * int8 + [self._settings[key] for key in self._settings if "PRECISION" in key]
        self._cache = cache
        self._compiling = threading.Lock()
        self._whole: dict[tuple[int, int], _Graph] = {}
        self._runs, self._last_run = 0, dict[tuple[int, int], int]()
        self._narrow: dict[_Key, Future[_Graph | None]] = {}
        self._seen: Counter[_Key] = Counter()
        self._compiler = ThreadPoolExecutor(1, "compiler")

    @property
    def name(self) -> str:
        """A description for users: the engine, its version, device and precision."""
        return " ".join(("openvino", openvino.__version__.split("-")[0], self.device, *self._precision))

    def infer(self, network_input: NetworkInput) -> NetworkOutput:
        """Run the network; the first call with a new size compiles it, which takes up to a second."""
        network_input = for_sensors(network_input, self.sensors)
        height, width = network_input.rgb.shape[:2]
        whole, narrow = self._whole_for(height, width), self._narrow_for(network_input)
        self._count(height, width)
        if narrow is not None:
            try:
                return _run(narrow, network_input)
            except Exception as error:
                self._give_up(_key(network_input), error)
        return _run(whole, network_input)

    def prepare(self, height: int, width: int) -> None:
        """Compile the graph for inputs of that size, if there is none; while it does, `infer` may run another size."""
        self._whole_for(height, width)

    def _whole_for(self, height: int, width: int) -> _Graph:
        whole = self._whole.get((height, width))
        if whole is None:
            with self._compiling:
                whole = self._whole.get((height, width)) or self._compile_whole(height, width)
        return whole

    def _compile_whole(self, height: int, width: int) -> _Graph:
        whole = self._compile(self._sized(height, width), self._cache if len(self._whole) < CACHED else None)
        kept = list(self._whole.items())[-MAX_WHOLE + 1 :]
        self._last_run[height, width] = self._runs
        self._whole = {**dict(kept), (height, width): whole}  # in one step: another thread may look
        give_back()
        return whole

    def _count(self, height: int, width: int) -> None:
        """One more run, of that size; forget sizes that are no longer run."""
        self._runs += 1
        self._last_run[height, width] = self._runs
        if self._runs % IDLE == 0:
            self.forget(IDLE)

    def forget(self, runs: int) -> None:
        """Forget sizes that were in none of the last so many runs; this takes a tenth of a second, in which no Python
        runs."""
        idle = {size for size in self._whole if self._last_run[size] <= self._runs - runs}
        if idle and self._compiling.acquire(blocking=False):  # else another time: a frame waits
            self._whole = {size: graph for size, graph in self._whole.items() if size not in idle}
            self._compiling.release()
            give_back()

    def _narrow_for(self, network_input: NetworkInput) -> _Graph | None:
        """The graph for only these sensors; None if there is none, or not yet."""
        key = _key(network_input)
        if not leaves_something_out(key[2]):
            return None
        narrow = self._narrow.get(key)
        if narrow is not None:
            return narrow.result() if narrow.done() else None
        self._seen[key] += 1
        if self._seen[key] >= PATIENCE and len(self._narrow) < MAX_NARROW:
            self._narrow[key] = self._compiler.submit(self._compile_narrow, key)
        return None

    def _compile_narrow(self, key: _Key) -> _Graph | None:
        height, width, present = key
        try:
            return self._compile(specialise(self._sized(height, width), present))
        except Exception as error:  # out of memory, or a graph that OpenVINO cannot narrow: slower, but never wrong
            self._give_up(key, error)
            return None

    def _give_up(self, key: _Key, error: Exception) -> None:
        """Stop using narrow graphs, and log it."""
        self._narrow[key] = Future()
        self._narrow[key].set_result(None)
        there = " + ".join(name for name, is_there in zip(self.sensors, key[2], strict=True) if is_there)
        reason = str(error).strip().splitlines()[-1:] or [repr(error)]
        _log.warning("no faster graph for only %s, the whole graph is used: %s", there, reason[0])

    def _sized(self, height: int, width: int) -> openvino.Model:
        if _version(self._path) != self._version:
            raise ModelError(f"{self._path}: the file was changed while it was in use; load the model anew")
        model, self._unused = self._unused or _read(self._core, self._path), None
        model.reshape(
            {
                "rgb": [1, height, width, 3],
                "aux": [1, height // AUX_SCALE, width // AUX_SCALE, self._channels],
                "present": [1, self._modalities],
            }
        )
        return model

    def _compile(self, model: openvino.Model, cache: Path | None = None) -> _Graph:
        settings = self._settings | ({"CACHE_DIR": str(cache)} if cache else {})
        compiled = self._core.compile_model(model, self.device, settings)
        return _Graph(compiled.create_infer_request(), tuple(port.get_any_name() for port in compiled.inputs))


def _key(network_input: NetworkInput) -> _Key:
    height, width = network_input.rgb.shape[:2]
    return height, width, tuple(bool(there) for there in network_input.present)


def _run(graph: _Graph, network_input: NetworkInput) -> NetworkOutput:
    # share_inputs: the arrays live until infer() returns, so no copy is needed.
    graph.request.infer({name: getattr(network_input, name)[None] for name in graph.inputs}, share_inputs=True)
    return NetworkOutput(*(tensor.data[0].copy() for tensor in graph.request.output_tensors))


def _version(path: Path) -> tuple[tuple[int, int], ...]:
    """Changes when one of a network's two files is written."""
    there = (file.stat() for file in (path, path.with_suffix(".bin")) if file.is_file())
    return tuple((found.st_mtime_ns, found.st_size) for found in there)


def open_model(core: openvino.Core, path: Path) -> openvino.Model:
    """Any file that OpenVINO reads. Raises ModelError for one that is missing or that it does not read."""
    if not path.is_file():
        raise ModelError(f"{path}: no such engine file; make it with `perception export`")
    try:
        return core.read_model(path)
    except RuntimeError as error:
        raise ModelError(f"{path}: OpenVINO cannot read it: {str(error).strip().splitlines()[-1]}") from error


def _read(core: openvino.Core, path: Path) -> openvino.Model:
    model = open_model(core, path)
    try:
        names = [port.get_any_name() for port in model.inputs]
    except RuntimeError as error:
        raise ModelError(f"{path}: OpenVINO cannot read it: {str(error).strip().splitlines()[-1]}") from error
    if sorted(names) != sorted(INPUTS):
        raise ModelError(f"{path}: its inputs are {names}, a perception network has {list(INPUTS)}; {how_to_run(path)}")
    return model
