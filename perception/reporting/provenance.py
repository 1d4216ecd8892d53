# SPDX-License-Identifier: Apache-2.0
"""Provenance of a result: versions and hashes, so that it can be reproduced."""

from __future__ import annotations

import hashlib
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import perception

DISTRIBUTIONS: dict[str, str] = {
    "numpy": "numpy",
    "opencv": "opencv-python-headless",
    "openvino": "openvino",
    "torch": "torch",
    "mmsegmentation": "onedl-mmsegmentation",
    "open3d": "open3d-cpu",
    "rosbags": "rosbags",
    "rclpy": "ros-rclpy",
    "fastdds": "ros-fastrtps",
}
"""Packages that a result may depend on, and their distributions."""

FLAGS: tuple[str, ...] = ("avx2", "avx512f", "avx512_vnni", "avx_vnni", "avx512_bf16", "amx_bf16", "amx_int8")
"""The processor features that determine the speed of networks, as named in /proc/cpuinfo."""


def versions() -> dict[str, str]:
    """Versions of this package, Python, the processor and whatever of DISTRIBUTIONS is installed."""
    found = {"perception": perception.__version__, "python": platform.python_version(), "cpu": processor()}
    installed = {name: version_of(distribution) for name, distribution in DISTRIBUTIONS.items()}
    return found | {name: number for name, number in installed.items() if number}


def processor_flags() -> list[str]:
    """Those of FLAGS that this machine's processor has; none if unknown."""
    found = _cpuinfo("flags")
    return [flag for flag in FLAGS if found and flag in found[0].split()]


def processor() -> str:
    """The processor's name and the number of processors."""
    names = _cpuinfo("model name")
    return f"{names[0]} × {len(names)}" if names else platform.processor() or platform.machine()


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def version_of(distribution: str) -> str | None:
    """The version that is installed; None without one."""
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _cpuinfo(field: str) -> list[str]:
    """The values of a field of /proc/cpuinfo, one per core; empty without that file."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []
    return [line.partition(":")[2].strip() for line in lines if line.partition(":")[0].strip() == field]
