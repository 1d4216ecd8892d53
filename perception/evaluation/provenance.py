# SPDX-License-Identifier: Apache-2.0
"""What produced a result: versions and hashes, so that it can be produced again."""

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
"""What a result may depend on, and the distribution it comes in."""


def versions() -> dict[str, str]:
    """Versions of this package, Python, the processor and whatever of DISTRIBUTIONS is installed."""
    found = {"perception": perception.__version__, "python": platform.python_version(), "cpu": _processor()}
    installed = {name: _version(distribution) for name, distribution in DISTRIBUTIONS.items()}
    return found | {name: number for name, number in installed.items() if number}


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{names[0]} × {len(names)}" if names else platform.machine()
