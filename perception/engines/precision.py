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
    return ["bf16", "f32"] if device == "CPU" and halves_bf16() else ["f32", "bf16"]


def halves_bf16() -> bool:
    """Whether the processor computes more slowly in bf16 than in float32, although it has an instruction for bf16.

    So do Intel's without AMX, and those whose AMX a virtual machine hides: AVX-512's instruction for bf16 does as much
    arithmetic as the one for float32, but half as often. The network takes 1.6 times as long in bf16.
    """
    try:
        words = CPUINFO.read_text().split()
    except OSError:
        return False
    return "GenuineIntel" in words and "avx512_bf16" in words and "amx_bf16" not in words
