# SPDX-License-Identifier: Apache-2.0
"""The checks of `perception doctor`: the machine, engines, ROS 2, extras, weights and data."""

from __future__ import annotations

import importlib
import os
import platform
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

from perception.engines import DEFAULT_MODEL, ENGINES, find_model, manifest
from perception.errors import PerceptionError
from perception.paths import DISTRIBUTION, PACKAGE, WEIGHTS, share
from perception.reporting.provenance import processor, processor_flags, version_of

OK, MISSING, BROKEN = "ok", "missing", "broken"

DATA = "PERCEPTION_DATA"
"""The environment variable that names the folder of data sets."""

LITTLE_MEMORY_GB, LITTLE_CORES = 2.0, 2
"""Minimum for the node to start and to keep up with a camera at 10 Hz."""

EXTRAS = {
    "ros": "node, replay, demo, view of live topics",
    "onnx": "engine onnxruntime, export --format onnx",
    "int8": "export --int8",
    "las": "label --cloud las",
    "ray": "label --ray",
    "track": "numbers of instances that stay from frame to frame",
    "view": "view",
    "train": "train, prune, pseudo-label, export, saliency in explain, engine torch",
    "node": "node and replay, without the simulator",
}
"""The purpose of each extra, except those for developers."""

ROS_PACKAGES = {
    "tf2_ros": "extrinsics by TF in a node beside a full ROS 2 (else from a calibration file)",
    "vision_msgs": "~/label_info as vision_msgs/LabelInfo (else as JSON), ~/objects (else ~/objects/markers alone)",
    "cv_bridge": "unusual image encodings",
    "launch": "launch files",
}
"""What a full ROS 2 adds."""


@dataclass(frozen=True)
class DoctorReport:
    """The JSON of `perception doctor`."""

    findings: list[Finding]


@dataclass(frozen=True)
class Finding:
    """A row: state is OK, MISSING or BROKEN; what is installed, and, if it is not, what it is needed for."""

    area: str
    name: str
    state: str
    what: str
    need: str = ""


def findings() -> Iterator[Finding]:
    """The state of this machine, area by area. Broken parts raise no error."""
    yield from _machine()
    yield from _engines()
    yield from _ros()
    yield from _extras()
    yield from _weights()
    yield from _data()


def _machine() -> Iterator[Finding]:
    area, flags = "machine", processor_flags()
    yield Finding(area, "system", OK, f"{platform.system()} {platform.release()}, Python {platform.python_version()}")
    yield Finding(area, "processor", OK, f"{processor()}: {', '.join(flags) or 'none of the features below'}")
    cores = len(os.sched_getaffinity(0))
    yield _enough(area, "cores", cores, LITTLE_CORES, f"{cores} for this process", "a camera at 10 Hz")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    yield _enough(area, "memory", memory, LITTLE_MEMORY_GB, f"{memory:.1f} GB", "network and sensors at once")
    for name, wanted, need in (
        ("AVX2", ("avx2",), "real time on this processor at all"),
        ("bf16", ("avx512_bf16", "amx_bf16"), "floats at up to twice the speed; the network runs in float32"),
        ("VNNI", ("avx512_vnni", "avx_vnni", "amx_int8"), f"INT8 faster than float: --model {DEFAULT_MODEL}_int8"),
    ):
        has = [flag for flag in wanted if flag in flags]
        yield Finding(
            area, name, OK if has else MISSING, ", ".join(has) or "not in this processor", "" if has else need
        )


def _enough(area: str, name: str, value: float, least: float, what: str, need: str) -> Finding:
    return Finding(area, name, OK, what) if value >= least else Finding(area, name, MISSING, what, f"{need}: {least:g}")


def _engines() -> Iterator[Finding]:
    """Each library that runs networks, what it runs on, and the forms in which the shipped network exists."""
    for name, module, get, needed in (
        ("openvino", "openvino", lambda library: ", ".join(library.Core().available_devices), "every command"),
        ("onnxruntime", "onnxruntime", lambda library: ", ".join(library.get_available_providers()), _how("onnx")),
        ("tensorrt", "tensorrt", lambda _: "", "engine tensorrt: pip install tensorrt onnxruntime-gpu"),
        ("torch", "torch", lambda library: "CUDA" if library.cuda.is_available() else "CPU", _how("train")),
    ):
        yield _library("engine", name, module, get, needed, required=name == "openvino")
    with_file = [engine for engine in ENGINES if _has_file(engine)]
    yield Finding(
        "engine", "ready", OK if with_file else BROKEN, f"{DEFAULT_MODEL} for {', '.join(with_file) or 'none'}"
    )


def _library(
    area: str, name: str, module: str, get: Callable[[Any], str], need: str, required: bool = False
) -> Finding:
    try:
        library = importlib.import_module(module)
        more = get(library)
    except ModuleNotFoundError as error:
        absent = (error.name or "").partition(".")[0] == module and not required
        return Finding(area, name, MISSING if absent else BROKEN, f"not installed ({error})", need)
    except Exception as error:  # whatever a library runs into when it is loaded
        return Finding(area, name, BROKEN, f"{type(error).__name__}: {error}", need)
    version = str(getattr(library, "__version__", version_of(module) or "")).partition("-")[0]
    return Finding(area, name, OK, f"{version} {more}".strip() or "installed")


def _has_file(engine: str) -> bool:
    try:
        find_model(None, engine)
    except PerceptionError:
        return False
    return True


def _ros() -> Iterator[Finding]:
    def about(_: Any) -> str:
        versions = [version_of(name) for name in ("ros-jazzy-rclpy", "ros-rclpy")]
        distro = os.environ.get("ROS_DISTRO")
        return f"ROS 2 {distro}" if distro else f"wheels {next(filter(None, versions), '')}".strip()

    def middleware(library: Any) -> str:
        return str(library.get_rmw_implementation_identifier())

    rclpy = _library("ROS 2", "rclpy", "rclpy", about, _how("ros"))
    yield rclpy
    if rclpy.state == OK:
        yield _library("ROS 2", "rmw", "rclpy.utilities", middleware, "any ROS 2 node")
        domain = os.environ.get("ROS_DOMAIN_ID", "0")
        yield Finding("ROS 2", "domain", OK, f"ROS_DOMAIN_ID {domain}")
    for name, need in ROS_PACKAGES.items():
        yield _library("ROS 2", name, name, lambda _: "", need)


def _extras() -> Iterator[Finding]:
    try:
        lines = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        yield Finding("extras", DISTRIBUTION, MISSING, "runs from its source, not installed", "pip install -e .")
        return
    wanted: dict[str, list[str]] = {extra: [] for extra in EXTRAS}
    for line in lines:
        found = re.match(r"([\w.-]+).*extra == [\"']([\w-]+)", line)
        if found and found[2] in wanted:
            wanted[found[2]].append(found[1])
    for extra, names in wanted.items():
        absent = [name for name in names if version_of(name) is None]
        if not names or (extra == "ros" and absent and os.environ.get("ROS_DISTRO")):
            continue  # an installed ROS 2 has these itself
        what = f"without {', '.join(absent)}" if absent else "installed"
        yield Finding("extras", extra, MISSING if absent else OK, what, _how(extra) if absent else "")


def _how(extra: str) -> str:
    return f"{EXTRAS[extra]}: pip install '{DISTRIBUTION}[{extra}]'"


def _weights() -> Iterator[Finding]:
    """Whether each shipped file matches the manifest beside it."""
    sums = manifest.read(WEIGHTS)
    if not sums:
        yield Finding("weights", manifest.NAME, BROKEN, f"not in {WEIGHTS}", "install the package again")
    for name, digest in sorted(sums.items()):
        path = WEIGHTS / name
        if not path.is_file():
            yield Finding("weights", name, BROKEN, "missing", "install the package again")
        elif manifest.digest_of(path) != digest:
            yield Finding("weights", name, BROKEN, "its SHA-256 differs from that of the export", "install it again")
        else:
            yield Finding("weights", name, OK, f"{digest[:12]}…, {path.stat().st_size / 1e6:.1f} MB")
    try:
        yield Finding("weights", "configs", OK, str(share() / "configs"))
    except PerceptionError as error:
        yield Finding("weights", "configs", BROKEN, str(error), "train, node, presets of topics")


def _data() -> Iterator[Finding]:
    """The folder of public data sets that tests and the tables of the documentation use."""
    named = os.environ.get(DATA)
    folder = Path(named) if named else PACKAGE.parent.parent / "shared" / "data"
    need = f"train, eval and the tables of docs/ on real data: {DATA} names the folder"
    if folder.is_dir():
        sets = sorted(path.name for path in folder.iterdir() if path.is_dir())
        yield Finding("data", DATA, OK, f"{folder}: {', '.join(sets) or 'empty'}")
    else:
        yield Finding(
            "data", DATA, BROKEN if named else MISSING, f"{folder} is no folder" if named else "not set", need
        )
