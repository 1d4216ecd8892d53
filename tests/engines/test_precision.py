# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import openvino
import pytest

from perception.engines import precision
from perception.engines.openvino import OpenVinoEngine
from perception.paths import WEIGHTS

WITH_BF16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.mark.parametrize(
    ("cpuinfo", "fastest"),
    [
        ("vendor_id : AuthenticAMD\nflags : avx512f avx512_bf16", "bf16"),
        ("vendor_id : GenuineIntel\nflags : avx512_bf16 amx_bf16", "bf16"),
        ("vendor_id : GenuineIntel\nflags : avx512f avx512_bf16 avx512_vnni", "f32"),  # half of float32's speed
        (None, "bf16"),
    ],
)
def test_the_engine_computes_in_the_fastest_float(
    cpuinfo: str | None, fastest: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(precision, "CPUINFO", tmp_path / "cpuinfo")
    if cpuinfo:
        precision.CPUINFO.write_text(cpuinfo)
    expected = fastest if WITH_BF16 else "f32"
    assert precision.precisions()[-1] == expected
    assert OpenVinoEngine(WEIGHTS / "dual_branch_s.xml").name.endswith(f" CPU {expected}")
