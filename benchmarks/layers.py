# SPDX-License-Identifier: Apache-2.0
"""Compares each layer of the shipped network with what this processor could do: a roofline, on one thread.

    python benchmarks/layers.py out/layers.json docs/performance.md [ROUNDS]

For float32, bfloat16 where the processor has it, and INT8: milliseconds, multiply-accumulates (MACs), and bytes of
weights and of activations in and out, by OpenVINO's own counters; beside them the time below which this processor
cannot get, the larger of MACs / peak and bytes / bandwidth, with a peak and a bandwidth measured in the same process
(`peaks.py`). Writes figures and the document's tables.

One thread, because two would wait for each other wherever others want a core; and of each layer its shortest time in
2 × ROUNDS runs (60 rounds by default): their sum is the network on a quiet machine.

With ONEDNN_MAX_CPU_ISA=AVX2 in the environment, OpenVINO's convolutions do as on a processor with AVX2 alone, and the
document's tables for that are filled.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import openvino
from peaks import bandwidth, peak
from tables import fill

from perception.benchmark.frames import drive_frames
from perception.benchmark.tables import NONE, Table
from perception.disk import write_json
from perception.engines.openvino import INPUTS
from perception.engines.precision import precisions
from perception.paths import WEIGHTS
from perception.reporting.provenance import processor, processor_flags
from perception.sensors import NetworkInput, encode, network_size

ROUNDS = 60
FARTHEST = 8
"""Layers in the table of those that lose most."""

LARGE = 50_000_000
"""MACs of a layer that runs for so long that whole microseconds tell its time."""

INT8 = "int8"
LIMIT = "ONEDNN_MAX_CPU_ISA"
"""Of the environment: the widest instructions that convolutions may use."""

SIZES = {"f32": 4, "f16": 2, "bf16": 2, "i64": 8, "i32": 4, "u32": 4, "i8": 1, "u8": 1, "boolean": 1}
"""Bytes of an element."""

IMAGES, LOGITS, LABELS = "images in", "logits", "labels, confidence"
PARTS: tuple[tuple[str, str, int], ...] = (
    (r"encoder\.rgb\.stem", "camera, stem", 0),
    (r"encoder\.rgb\.stages\.(\d)", "camera, stride {}", 4),
    (r"encoder\.aux_stem", "auxiliary, stem", 0),
    (r"encoder\.aux\.stages\.(\d)", "auxiliary, stride {}", 4),
    (r"encoder\.condition", "condition", 0),
    (r"encoder\.fusions\.(\d)", "fusion, stride {}", 4),
    (r"head\.(?:fine|narrow)", "head, stride 4", 0),
    (r"head\.(?:laterals|smooth)\.(\d)", "head, stride {}", 8),
    (r"head\.context", "head, stride 32", 0),
    (r"class_logits", LOGITS, 0),
)
"""Modules, the part of the network that they belong to, and the stride of the first where they are numbered."""


@dataclass
class Layer:
    """A step as OpenVINO runs it. macs and bytes are of one run; ms is its shortest."""

    name: str
    part: str
    kind: str
    precision: str
    macs: int
    bytes: int
    ms: float = 0.0


def part_of(originals: str) -> str | None:
    """The part of the network that the layers of these names belong to, by the first with a known module."""
    for name in originals.split(","):
        for pattern, part, stride in PARTS:
            if match := re.search(rf"__module\.{pattern}", name):
                return part.format(stride << int(match[1])) if match.groups() else part
    return None


def layers_of(compiled: openvino.CompiledModel) -> list[Layer]:
    """The steps of a compiled network that take time, without their times."""
    steps = compiled.get_runtime_model().get_ordered_ops()
    parts: dict[str, str] = {}
    for step in steps:
        name, kind = step.get_friendly_name(), _noted(step, "layerType")
        above = (parts.get(port.get_source_output().get_node().get_friendly_name()) for port in step.inputs())
        # What has no module of its own goes with what it follows; what follows the logits makes labels of them.
        inherited = IMAGES if kind == "Input" else next(filter(None, above), None)
        found = part_of(_noted(step, "originalLayersNames")) or (LABELS if inherited == LOGITS else inherited)
        if found:
            parts[name] = found
    return [
        Layer(
            name=step.get_friendly_name(),
            part=parts.get(step.get_friendly_name(), IMAGES),
            kind=_noted(step, "primitiveType"),
            precision=_precision(step),
            macs=_macs(step),
            bytes=_bytes(step),
        )
        for step in steps
        if _noted(step, "layerType") not in ("Input", "Output", "Const")
    ]


def _noted(step: Any, key: str) -> str:
    notes = step.get_rt_info()
    return str(notes[key].astype(str)) if key in notes else ""


def _precision(step: Any) -> str:
    """What it computes in; its note of that may be what its weights are kept in."""
    return _noted(step, "primitiveType").rsplit("_", 1)[-1].lower()


def _macs(step: Any) -> int:
    """Of a convolution, grouped or not: the weights that each value of the output takes."""
    if _noted(step, "layerType") not in ("Convolution", "GroupConvolution"):
        return 0
    weights, out = step.input(1).get_shape(), step.output(0).get_shape()
    return int(prod(out) * prod(weights) // out[1])


def _bytes(step: Any) -> int:
    """In and out; constants in the precision that the step computes in, as they were converted once before."""
    moved = sum(prod(port.get_shape()) * _size(port) for port in step.outputs())
    for port in step.inputs():
        source = port.get_source_output()
        constant = _noted(source.get_node(), "layerType") == "Const"
        moved += prod(port.get_shape()) * (SIZES[_precision(step)] if constant else _size(source))
    return int(moved)


def _size(port: Any) -> int:
    """Bytes of an element of an output. OpenVINO notes the precision of equal ones once."""
    noted = _noted(port.get_node(), "outputPrecisions").split(",")
    return SIZES[noted[min(port.get_index(), len(noted) - 1)]]


def measure(model: Path, precision: str, given: NetworkInput, rounds: int) -> list[Layer]:
    """The layers of an exported network, and their shortest times on one thread.

    precision: of floats. given: what it sees. Times are of the second and third run of `rounds` compilations:
    OpenVINO's counters hold the mean of all runs in whole microseconds, which tells single ones apart only early.
    """
    core = openvino.Core()
    network = core.read_model(model)
    values = {name: getattr(given, name)[None] for name in INPUTS}
    network.reshape({name: list(value.shape) for name, value in values.items()})
    settings = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": precision,
        "INFERENCE_NUM_THREADS": 1,
        "PERF_COUNT": True,
    }
    shortest: dict[str, float] = {}
    with TemporaryDirectory() as cache:
        for _ in range(rounds):
            compiled = core.compile_model(network, "CPU", {**settings, "CACHE_DIR": cache})
            for name, spent in _single_runs(compiled, values):
                shortest[name] = min(spent, shortest.get(name, spent))
    found = layers_of(compiled)
    for layer in found:
        layer.ms = max(0.0, shortest.get(layer.name, 0.0))
    return [layer for layer in found if layer.ms > 0]


def _single_runs(
    compiled: openvino.CompiledModel, values: Mapping[str, Any], runs: int = 3
) -> Iterable[tuple[str, float]]:
    """Names of layers and milliseconds of each run but the first."""
    request = compiled.create_infer_request()
    before: dict[str, float] = {}
    for run in range(1, runs + 1):
        request.infer(values)
        total = {each.node_name: run * each.real_time.total_seconds() * 1e3 for each in request.get_profiling_info()}
        if before:
            yield from ((name, total[name] - before[name]) for name in total)
        before = total


def reached(precision: str, layers: Iterable[Layer], peak: float) -> float:
    """The larger of `peak` and what the best of the large convolutions computes: MACs a second."""
    large = [each for each in layers if each.macs >= LARGE and _name(each.precision) == precision]
    return max([peak, *(each.macs / each.ms * 1e3 for each in large)])


def _name(precision: str) -> str:
    return INT8 if precision == "i8" else precision


def limit(layer: Layer, peaks: Mapping[str, float], bytes_per_s: float) -> float:
    """Milliseconds that this processor needs at least. peaks: MACs a second by precision."""
    return max(layer.macs / peaks.get(_name(layer.precision), peaks["f32"]), layer.bytes / bytes_per_s) * 1e3


def measure_all(rounds: int) -> dict[str, Any]:
    """What the document tells: of the processor, and of every layer in every precision."""
    limited = os.environ.get(LIMIT)
    floats = ["f32"] if limited else precisions()
    peaks = {precision: peak(precision) for precision in (*floats, INT8)}
    near, far = bandwidth(2 << 20), bandwidth(256 << 20)
    files = {precision: ("dual_branch_s.xml", precision) for precision in floats}
    files[INT8] = ("dual_branch_s_int8.xml", floats[-1])
    frame = next(iter(drive_frames(1)))
    given = encode(frame, *network_size(*frame.size))
    found = {name: measure(WEIGHTS / file, of, given, rounds) for name, (file, of) in files.items()}
    for name in found:
        peaks[name] = reached(name, found[name], peaks[name])
    return {
        "processor": processor(),
        "flags": processor_flags(),
        "limited": limited,
        "openvino": openvino.__version__,
        "rounds": rounds,
        "peak_macs_per_s": peaks,
        "bandwidth_bytes_per_s": {"2 MB": near, "256 MB": far},
        "layers": {
            name: [{**asdict(each), "limit_ms": limit(each, peaks, near)} for each in layers]
            for name, layers in found.items()
        },
    }


def tables(report: Mapping[str, Any]) -> dict[str, Table]:
    """The tables that docs/performance.md has under its roofline, by name."""
    made = {
        "machine": _machine_table(report),
        "sum": _sum_table(report),
        "parts": _parts_table(report),
        "layers": _farthest_table(report),
    }
    which = f"roofline_{report['limited'].lower()}" if report["limited"] else "roofline"
    return {f"{which}_{name}": table for name, table in made.items()}


def _machine_table(report: Mapping[str, Any]) -> Table:
    peaks = ", ".join(f"{name} {rate / 1e9:.0f}" for name, rate in report["peak_macs_per_s"].items())
    copies = ", ".join(f"{rate / 1e9:.0f} of {size}" for size, rate in report["bandwidth_bytes_per_s"].items())
    rows = [
        ("processor", report["processor"]),
        ("convolutions in", report["limited"] or ", ".join(report["flags"]) or "what it has"),
        ("OpenVINO", report["openvino"].split("-")[0]),
        ("peak of a core, GMAC/s", peaks),
        ("copying, read and written, GB/s", copies),
        ("runs of each layer", f"{2 * report['rounds']}"),
    ]
    return Table("Measured on", ("", "value"), rows)


def _sum_table(report: Mapping[str, Any]) -> Table:
    rows = []
    for name, layers in report["layers"].items():
        macs, moved, spent, least = (sum(each[key] for each in layers) for key in ("macs", "bytes", "ms", "limit_ms"))
        at_peak = macs / report["peak_macs_per_s"][name] * 1e3
        convolving = sum(each["ms"] for each in layers if each["macs"])
        cells = [f"{macs / 1e9:.2f}", f"{moved / 1e6:.0f}", f"{at_peak:.1f}", f"{least:.1f}", f"{spent:.1f}"]
        rows.append((name, *cells, f"{spent / least:.2f}", f"{convolving:.1f}", f"{spent - convolving:.1f}"))
    header = ("precision", "GMACs", "MB", "MACs at peak, ms", "limit, ms", "measured, ms", "/ limit")
    return Table("The network on one thread", (*header, "convolutions, ms", "the rest, ms"), rows)


def _parts_table(report: Mapping[str, Any]) -> Table:
    by_part: dict[str, dict[str, list[Mapping[str, Any]]]] = {}
    for name, layers in report["layers"].items():
        for layer in layers:
            by_part.setdefault(layer["part"], {}).setdefault(name, []).append(layer)
    names = list(report["layers"])
    rows = []
    for part in _in_order(by_part):
        macs = max(sum(layer["macs"] for layer in layers) for layers in by_part[part].values())
        cells = [f"{macs / 1e6:.0f}"]
        for name in names:
            layers = by_part[part].get(name, [])
            moved, spent, least, done = (
                sum(layer[key] for layer in layers) for key in ("bytes", "ms", "limit_ms", "macs")
            )
            share = done / report["peak_macs_per_s"][name] * 1e3 / spent if spent else 0
            cells += [f"{moved / 1e6:.1f}", f"{spent:.2f}", f"{share:.0%}" if done else NONE, f"{least:.2f}"]
        rows.append((part, *cells))
    columns = (f"{name} {what}" for name in names for what in ("MB", "ms", "of peak", "limit"))
    return Table("Parts of the network", ("part", "MMACs", *columns), rows)


def _in_order(found: Iterable[str]) -> list[str]:
    """Parts in the order of the network."""
    order = [IMAGES, *(name.format(stride << i) for _, name, stride in PARTS for i in range(4)), LABELS]
    return sorted(found, key=order.index)


def _farthest_table(report: Mapping[str, Any]) -> Table:
    rows = []
    for name in list(report["layers"])[-2:]:
        lost = sorted(report["layers"][name], key=lambda each: each["limit_ms"] - each["ms"])
        for layer in lost[:FARTHEST]:
            cells = (layer["kind"], f"{layer['macs'] / 1e6:.0f}", f"{layer['bytes'] / 1e6:.2f}")
            rows.append((name, layer["part"], *cells, f"{layer['ms']:.2f}", f"{layer['limit_ms']:.2f}"))
    header = ("precision", "part", "how it is run", "MMACs", "MB", "ms", "limit")
    return Table("Layers that lose most to their limit", header, rows)


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    document = Path(sys.argv[2])
    report = measure_all(int(sys.argv[3]) if len(sys.argv) == 4 else ROUNDS)
    write_json(Path(sys.argv[1]), report)
    document.write_text(fill(document.read_text("utf-8"), tables(report)), "utf-8")
    for made in tables(report).values():
        print(made.markdown())
