# SPDX-License-Identifier: Apache-2.0
"""The precisions in which a device computes floats, by their speed."""

from __future__ import annotations

from pathlib import Path

from perception.engines.light_openvino import openvino

CPUINFO = Path("/proc/cpuinfo")


def precisions(device: str = "CPU") -> list[str]:
    """OpenVINO's names of them, slowest first: f32, and bf16 where the device has instructions for it."""
    if "BF16" not in openvino.Core().get_property(device, "OPTIMIZATION_CAPABILITIES"):
        return ["f32"]
    return ["bf16", "f32"] if device == "CPU" and _halves_bf16() else ["f32", "bf16"]


def _halves_bf16() -> bool:
    """Whether it is one of Intel's without AMX, or whose AMX a virtual machine hides. Its AVX-512 instruction for bf16
    does as much arithmetic as the one for float32 but half as often: the network takes 1.6 times as long."""
    try:
        words = CPUINFO.read_text().split()
    except OSError:
        return False
    return "GenuineIntel" in words and "avx512_bf16" in words and "amx_bf16" not in words
