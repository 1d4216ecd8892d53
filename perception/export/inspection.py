# SPDX-License-Identifier: Apache-2.0
"""What a network's file is, and whether the node can use it: one run of `perception export-check`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from perception.classes import FOREGROUND, UNLABELLED, Classes
from perception.datasets.registry import open_dataset
from perception.engines import Engine
from perception.engines.described import described_by, how_to_run
from perception.engines.family import weights_of
from perception.engines.foreign.description import OURS, Description, our_id
from perception.engines.foreign.engine import ForeignEngine, sensors_shown
from perception.engines.foreign.running import OnnxRuntimeRunner, OpenVinoRunner, Port, Runner
from perception.engines.self_check import MIN_AGREEMENT
from perception.errors import DataError, ModelError, PerceptionError
from perception.extras import needs
from perception.frame import MODALITIES, Frame, Prediction
from perception.pipeline import Pipeline
from perception.sensors import NetworkInput
from perception.sensors.presence import keep_modalities
from perception.sensors.spec import SPECS

RUNS = 5
"""Runs that are timed, after the first."""

OF_OURS = "perception export"

IN_OURS = {"rgb", "present"}
"""Inputs of every file of ours."""


@dataclass(frozen=True)
class PortReport:
    """An input or output of the file. shape: null for a side of any length."""

    name: str
    shape: list[int | None] | None
    dtype: str | None


@dataclass(frozen=True)
class RunReport:
    """What it says of one frame. labels: what share of the pixels got each class; things: how many were told apart,
    null where it does not. agreement: the share of pixels that the other library gives the same label."""

    frame: str
    labels: dict[str, float]
    things: int | None
    agreement: float | None


@dataclass(frozen=True, kw_only=True)
class ExportCheckReport:
    """The JSON of `perception export-check`.

    described_by: model.yaml, or `perception export` for a file of ours. normalisation: by input. sensors: by sensor,
    the channels that the file takes. classes: of each of ours, the file's. milliseconds: of one run here, the median.
    other_engine: another library that it was compared with.
    """

    file: str
    megabytes: float
    described_by: str
    engine: str
    inputs: list[PortReport]
    outputs: list[PortReport]
    normalisation: dict[str, str]
    sensors: dict[str, list[str]]
    classes: dict[str, list[str]]
    runs: list[RunReport]
    milliseconds: float
    other_engine: str | None
    remarks: list[str]


def open_runner(path: Path, threads: int | None = None) -> Runner:
    """The file in the library that runs its kind. Raises ModelError for one that is missing or of another kind."""
    if path.suffix not in (".onnx", ".xml"):
        raise ModelError(f"{path}: expected a .onnx or .xml file")
    if path.suffix == ".xml":
        return OpenVinoRunner(path, threads)
    with needs("a .onnx file needs ONNX Runtime", "onnx"):
        return OnnxRuntimeRunner(path, threads)


def inspect(path: Path, data: Sequence[tuple[str, Path]] = (), threads: int | None = None) -> ExportCheckReport:
    """Open the file, run it, and see whether what it says can be used.

    data: names and folders of data sets, of each of which it gets a frame; none simulates one. Raises ModelError for a
    file that cannot be used, and DataError.
    """
    runner = open_runner(path, threads)
    described = described_by(path)
    if described is None and not {port.name for port in runner.inputs} >= IN_OURS:
        raise ModelError(f"{path}: its inputs are {', '.join(port.name for port in runner.inputs)}; {how_to_run(path)}")
    pipeline = Pipeline.load(path, threads=threads)
    engine = pipeline.engine
    description = engine.description if isinstance(engine, ForeignEngine) else None
    remarks = _never(description, pipeline.classes)
    other = _other(path, threads, remarks)
    runs, took_s = [], None
    for name, frame in _frames(data, pipeline.sensors):
        prediction = pipeline(frame)
        _check(path, prediction, frame)
        remarks += _suspicion(name, prediction)
        network_input = pipeline.prepare(frame).network_input
        if network_input is None:
            raise DataError(f"{name}: none of its sensors tells anything")
        agreement = None if other is None else _agreement(path, engine, other, network_input)
        runs.append(RunReport(name, _shares(prediction), _things(prediction), agreement))
        took_s = _time(engine, network_input) if took_s is None else took_s
    assert took_s is not None
    return ExportCheckReport(
        file=f"{path}",
        megabytes=weights_of(path).stat().st_size / 1e6,
        described_by=OF_OURS if described is None else described.name,
        engine=engine.name,
        inputs=[_port(port) for port in runner.inputs],
        outputs=[_port(port) for port in runner.outputs],
        normalisation=_normalisation(description),
        sensors=_sensors(pipeline, description),
        classes=_classes(description, pipeline.classes),
        runs=runs,
        milliseconds=1e3 * took_s,
        other_engine=None if other is None else other.name,
        remarks=remarks,
    )


def _frames(data: Sequence[tuple[str, Path]], sensors: Sequence[str]) -> Iterator[tuple[str, Frame]]:
    """With what the network has channels for alone, if that is anything."""
    for name, frame in map(_of_set, data) if data else [_simulated(sensors)]:
        seen = [each for each in frame.modalities if each in sensors]
        yield name, keep_modalities(frame, seen) if seen else frame


def _of_set(data: tuple[str, Path]) -> tuple[str, Frame]:
    samples = open_dataset(*data, "val")
    if not samples:
        raise DataError(f"{data[1]}: no sample in split val of {data[0]}")
    sample = samples[len(samples) // 2]
    return f"{data[0]} {sample.name}", sample.frame


def _simulated(sensors: Sequence[str]) -> tuple[str, Frame]:
    with needs("simulating a frame needs open3d; `--data NAME=ROOT` takes a real one", "sim"):
        from perception.simulation import SimulatedDrive

        further = tuple(name for name in sensors if name not in MODALITIES)
        return "a simulated street", SimulatedDrive(seed=0, frames=1, further=further)[0].frame


def _check(path: Path, prediction: Prediction, frame: Frame) -> None:
    labels, known = prediction.labels, len(prediction.classes)
    if labels.shape != frame.size[::-1] or labels.dtype != np.uint8:
        raise ModelError(f"{path}: labels are {labels.dtype} {labels.shape}, expected uint8 {frame.size[::-1]}")
    strange = sorted(set(np.unique(labels).tolist()) - {*range(known), UNLABELLED})
    if strange:
        raise ModelError(f"{path}: labels of class {strange[0]}, but there are {known} classes")


def _never(description: Description | None, classes: Classes) -> list[str]:
    if description is None:
        return []
    of_ours = _classes(description, classes)
    return [f"it never says {name}: no class of its own is that" for name in FOREGROUND if not of_ours[name]]


def _suspicion(name: str, prediction: Prediction) -> list[str]:
    said = np.unique(prediction.labels)
    if len(said) > 1:
        return []
    only = "unlabelled" if said[0] == UNLABELLED else prediction.classes.names[said[0]]
    return [f"nothing but {only} on {name}: are channels, scale, mean and std those of its training?"]


def _time(engine: Engine, network_input: NetworkInput) -> float:
    took = []
    for _ in range(RUNS):
        began = time.perf_counter()
        engine.infer(network_input)
        took.append(time.perf_counter() - began)
    return median(took)


def _other(path: Path, threads: int | None, remarks: list[str]) -> Engine | None:
    """The same network in another library; adds why there is none."""
    try:
        other = _opened_by_another(path, threads)
    except (PerceptionError, ImportError) as error:
        remarks.append(f"not compared with another library: {error}")
        return None
    if other is None:
        remarks.append(f"not compared with ONNX Runtime: there is no {path.with_suffix('.onnx').name} beside it")
    return other


def _opened_by_another(path: Path, threads: int | None) -> Engine | None:
    """OpenVINO for an .onnx, which it reads itself; for an .xml ONNX Runtime, where the .onnx lies beside it."""
    described, onnx = described_by(path), path.with_suffix(".onnx")
    if path.suffix == ".xml" and not onnx.is_file():
        return None
    if described is not None:
        to_onnx = path.suffix == ".xml"
        return ForeignEngine(described, OnnxRuntimeRunner(onnx, threads) if to_onnx else OpenVinoRunner(path, threads))
    if path.suffix == ".xml":
        from perception.engines.onnxruntime import OnnxRuntimeEngine

        return OnnxRuntimeEngine(onnx, threads)
    from perception.engines.openvino import OpenVinoEngine

    return OpenVinoEngine(path, threads, precision="f32")


def _agreement(path: Path, engine: Engine, other: Engine, network_input: NetworkInput) -> float:
    """The share of equal labels. Raises ModelError where it is less than MIN_AGREEMENT."""
    agreement = float(np.mean(engine.infer(network_input).labels == other.infer(network_input).labels))
    if agreement < MIN_AGREEMENT:
        raise ModelError(
            f"{path}: {engine.name} and {other.name} give {agreement:.1%} of the pixels the same label, at least "
            f"{MIN_AGREEMENT:.0%} are needed: one of them computes it wrongly; export it again, with a fixed size or "
            "another opset"
        )
    return agreement


def _things(prediction: Prediction) -> int | None:
    if prediction.instances is None:
        return None
    return len(np.unique(prediction.instances[prediction.instances > 0]))


def _port(port: Port) -> PortReport:
    return PortReport(port.name, None if port.shape is None else list(port.shape), port.dtype and f"{port.dtype}")


def _normalisation(description: Description | None) -> dict[str, str]:
    if description is None:
        return {}
    return {
        name: f"({', '.join(given.channels)}) · {given.scale:.6g} - {_numbers(given.mean)}, / {_numbers(given.std)}"
        for name, given in description.inputs.items()
    }


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(f"{value:g}" for value in (values if len(set(values)) > 1 else values[:1]))


def _sensors(pipeline: Pipeline, description: Description | None) -> dict[str, list[str]]:
    if description is not None:
        return sensors_shown(description)
    return {name: list(SPECS[name].channels) for name in pipeline.sensors}


def _classes(description: Description | None, classes: Classes) -> dict[str, list[str]]:
    if description is None:
        return {name: [name] for name in classes.names}
    rows = list(zip(description.class_names, description.table.tolist(), strict=True))
    return {ours: [name for name, class_id in rows if class_id == our_id(ours)] for ours in OURS}


def _shares(prediction: Prediction) -> dict[str, float]:
    names = {**dict(enumerate(prediction.classes.names)), UNLABELLED: "unlabelled"}
    return {name: float(np.mean(prediction.labels == class_id)) for class_id, name in names.items()}
