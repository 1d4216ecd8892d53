# SPDX-License-Identifier: Apache-2.0
"""What counts as slower than the last release."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mmseg")
pytest.importorskip("nncf")
pytest.importorskip("rclpy")

SCRIPTS = Path(__file__).resolve().parents[2] / "benchmarks"
NETWORK, AROUND = "network / PIDNet-S, f32", "around / network, f32"


@pytest.fixture
def regression(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    module = importlib.import_module("regression")
    monkeypatch.delitem(sys.modules, "regression")
    return module


def test_fifteen_per_cent_are_allowed_and_no_more(regression: Any) -> None:
    released = {NETWORK: 0.5, AROUND: 0.1}
    assert regression.worse({NETWORK: 0.574, AROUND: 0.02}, released) == {}
    slower = regression.worse({NETWORK: 0.58, AROUND: 0.114}, released)
    assert slower == {NETWORK: f"{NETWORK}: 0.580, in the last release 0.500: +16%"}


def test_a_ratio_without_a_release_is_compared_with_nothing(regression: Any) -> None:
    assert regression.worse({NETWORK: 9.0}, {}) == {}


def times(ours: float, peer: float, around: float) -> dict[str, float]:
    """Seconds as `measure` has them; INT8 takes half of them."""
    floats = {"ours f32": ours, "PIDNet-S f32": peer, "around": around}
    return {**floats, "ours int8": ours / 2, "PIDNet-S int8": peer / 2}


def test_ratios_are_of_the_shortest_times_of_all_attempts(regression: Any) -> None:
    """Of the first attempt alone it would be 0.25, as PIDNet-S was disturbed in it."""
    found = regression.ratios([times(0.05, 0.2, 0.01), times(0.06, 0.1, 0.02)])
    assert found == pytest.approx({NETWORK: 0.5, "network / PIDNet-S, int8": 0.5, AROUND: 0.2})


@pytest.mark.parametrize(
    ("flags", "limited", "key"),
    [
        (["avx2", "avx512f", "avx512_vnni", "avx512_bf16"], None, "avx512_vnni"),
        (["avx2", "avx512f", "avx512_vnni"], "AVX2", "avx2"),
        (["avx2", "avx_vnni"], None, "avx2_vnni"),
        (["avx2"], None, "avx2"),
        ([], None, "other"),
    ],
)
def test_processors_are_compared_with_their_like(
    regression: Any, flags: list[str], limited: str | None, key: str
) -> None:
    assert regression.instructions(flags, limited) == key


@pytest.mark.parametrize(("ratio", "code", "attempts"), [(0.4, 0, 1), (0.5, 0, 1), (0.6, 1, 3)])
def test_the_script_fails_on_what_is_slower(
    regression: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    ratio: float,
    code: int,
    attempts: int,
) -> None:
    """With a measurement that always finds `ratio`."""
    release, measured = tmp_path / "release.json", []
    release.write_text(json.dumps({"avx2": {"processor": "C", "ratios": {NETWORK: 0.5}}}))
    monkeypatch.setattr(regression, "RELEASE", release)
    monkeypatch.setattr(regression, "drive_frames", lambda count: [])
    monkeypatch.setattr(regression, "reference_files", lambda folder, frames: {})
    monkeypatch.setattr(regression, "measure", lambda *_: measured.append(1) or times(ratio, 1.0, 0.1))
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert regression.main(release=False) == code
    assert len(measured) == attempts
    assert ("slower than the last release by more than 15%" in capsys.readouterr().err) is bool(code)


def test_the_last_release_has_every_ratio(regression: Any) -> None:
    for key, figures in json.loads(regression.RELEASE.read_text()).items():
        assert key in (*regression.INSTRUCTIONS.values(), "other")
        assert set(figures["ratios"]) == {NETWORK, "network / PIDNet-S, int8", AROUND}
        assert all(0 < ratio < 2 for ratio in figures["ratios"].values())
