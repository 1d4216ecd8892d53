# SPDX-License-Identifier: Apache-2.0
"""The roofline: known layers have the MACs, bytes and limits that can be counted by hand."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("layers")
    for name in ("layers", "peaks", "tables"):
        monkeypatch.delitem(sys.modules, name)
    return module


@pytest.fixture(scope="module")
def given() -> Any:
    from perception.sensors import NetworkInput

    rng = np.random.default_rng(0)
    image, others = rng.integers(0, 256, (64, 96, 3), np.uint8), rng.integers(0, 256, (32, 48, 10), np.uint8)
    return NetworkInput(image, others, np.ones(4, np.float32))


def test_layers_of_the_shipped_network(layers: Any, given: Any) -> None:
    from perception.paths import WEIGHTS

    found = layers.measure(WEIGHTS / "dual_branch_s.xml", "f32", given, 1)
    stem = [each for each in found if each.part == "camera, stem" and each.macs]
    # 3 → 16 channels at half the resolution, 16 → 32 at a quarter, 3×3 each.
    assert [each.macs for each in stem] == [32 * 48 * 16 * 3 * 9, 16 * 24 * 32 * 16 * 9]
    weights, inside, outside = 32 * 16 * 9 + 32, 32 * 48 * 16, 16 * 24 * 32
    assert 0 <= stem[1].bytes - 4 * (inside + outside + weights) < 4 * 64
    named = {"camera, stride 4", "auxiliary, stem", "auxiliary, stride 32", "fusion, stride 16", "head, stride 4"}
    assert {each.part for each in found} >= named | {layers.IMAGES, layers.LOGITS, layers.LABELS}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("Multiply_1,__module.encoder.rgb.stages.2.0.bn1/aten::batch_norm", "camera, stride 16"),
        ("__module.head.laterals.1.bn/aten::batch_norm,aten::add/Add_1", "head, stride 16"),
        ("__module.encoder.aux.stages.0.0.conv1/aten::_convolution", "auxiliary, stride 4"),
        ("aten::gt/Greater", None),
    ],
)
def test_modules_belong_to_parts(layers: Any, name: str, part: str | None) -> None:
    assert layers.part_of(name) == part


def test_the_limit_is_the_larger_of_arithmetic_and_bytes(layers: Any) -> None:
    peaks = {"f32": 1e9, "int8": 4e9}
    heavy = layers.Layer("a", "p", "k", "f32", macs=2_000_000, bytes=1_000)
    assert layers.limit(heavy, peaks, 1e9) == pytest.approx(2.0)
    assert layers.limit(layers.Layer("a", "p", "k", "i8", 2_000_000, 1_000), peaks, 1e9) == pytest.approx(0.5)
    assert layers.limit(layers.Layer("a", "p", "k", "f32", 0, 3_000_000), peaks, 1e9) == pytest.approx(3.0)


def test_tables_sum_what_the_layers_take(layers: Any) -> None:
    def layer(part: str, macs: int, ms: float, limit_ms: float) -> dict[str, Any]:
        return dict(name="n", part=part, kind="k", precision="f32", macs=macs, bytes=10**6, ms=ms, limit_ms=limit_ms)

    found = [layer("head, stride 4", 10**9, 12.0, 10.0), layer("camera, stem", 0, 2.0, 1.0)]
    report = {
        "processor": "C",
        "flags": ["avx2"],
        "limited": None,
        "openvino": "2026.4.1-1",
        "rounds": 3,
        "peak_macs_per_s": {"f32": 1e11},
        "bandwidth_bytes_per_s": {"2 MB": 3e10},
        "layers": {"f32": found},
    }
    made = layers.tables(report)
    assert made["roofline_sum"].rows == [("f32", "1.00", "2", "10.0", "11.0", "14.0", "1.27", "12.0", "2.0")]
    assert [row[0] for row in made["roofline_parts"].rows] == ["camera, stem", "head, stride 4"]
    assert made["roofline_parts"].rows[1][1:] == ("1000", "1.0", "12.00", "83%", "10.00")
    assert made["roofline_layers"].rows[0][1] == "head, stride 4"


def test_a_processor_has_a_peak_and_a_bandwidth(layers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = importlib.import_module("peaks")
    monkeypatch.delitem(sys.modules, "peaks")
    monkeypatch.setattr(peaks, "SHAPES", ((32, 24, 40),))
    assert 1e8 < peaks.peak("f32", rounds=3) < 1e13
    assert 1e8 < peaks.peak("int8", rounds=3) < 1e13
    assert 1e8 < peaks.bandwidth(1 << 20, rounds=5) < 1e13
