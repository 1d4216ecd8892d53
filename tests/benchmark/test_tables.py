# SPDX-License-Identifier: Apache-2.0
"""A report becomes tables, and the document has a place for each."""

from __future__ import annotations

import re
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from perception.benchmark.tables import NAMES, Table, tables

CHECKOUT = Path(__file__).resolve().parents[2]
SPENT = {"median": 20.0, "p95": 22.0, "p99": 25.0, "n": 40}
STAGES_MS = {"receive": 1.0, "infer": 20.0}


@pytest.fixture
def report() -> dict[str, Any]:
    network = {"f32": {**SPENT, "ratio": 0.5}, "bf16": {**SPENT, "median": 12.0, "ratio": 0.4}}
    return {
        "ratio_to_pidnet_s": 0.4,
        "overhead_ratio": 0.15,
        "overhead_ms": SPENT,
        "stages_ms": STAGES_MS,
        "stages": {"receive": SPENT, "infer": SPENT},
        "network": network,
        "network_camera_alone": network,
        "peers": {"PIDNet-S": {precision: {**SPENT, "median": 30.0, "ratio": 1.0} for precision in network}},
        "dds": [
            {
                "hz": hz,
                "seconds": 10,
                "frames_sent": 100,
                "frames_answered": 97,
                "answered_share": 0.97,
                "drops_by_cause": {"superseded": 3},
                "latency_ms": {"p50": 40.0, "p95": 50.0, "p99": late},
                "ready_s": 2.0,
                "memory_mb": {"start": 300.0, "steady": 320.0, "peak": 330.0, "growth": 0.0},
                "cpu_percent": 90.0,
            }
            for hz, late in ((10.0, 60.0), (20.0, None))
        ],
        "growth": {
            "image_scale": [{"scale": 0.5, "width": 621, "height": 188, "stages_ms": STAGES_MS, "total_ms": 21.0}],
            "points": [{"points": 10_000, "stages_ms": STAGES_MS, "total_ms": 21.0}],
            "outputs": [{"outputs": "labels", "stages_ms": STAGES_MS, "total_ms": 21.0}],
            "cameras": [{"cameras": 2, "all_ms": SPENT, "rate_hz": 50.0}],
        },
        "engine": "openvino CPU bf16",
        "precision": "bf16",
        "threads": 2,
        "model": "model.xml",
        "weights_sha256": "0" * 64,
        "input": {
            "source": "drive",
            "frames": 8,
            "image": [1242, 375],
            "network": [1248, 384],
            "points": 120_000,
            "sha256": "1" * 64,
        },
        "machine": {"cores": 2, "flags": [], "memory_gb": 8.0, "load": 0.1, "versions": {"cpu": "C × 2", "numpy": "2"}},
        "seconds": {},
    }


@pytest.fixture(scope="module")
def script() -> dict[str, Any]:
    return runpy.run_path(str(CHECKOUT / "benchmarks/tables.py"))


@pytest.fixture(scope="module")
def fill(script: dict[str, Any]) -> Callable[[str, dict[str, Table]], str]:
    return script["fill"]


def test_every_table_is_whole_in_both_forms(report: dict[str, Any]) -> None:
    made = tables(report)
    assert tuple(made) == NAMES
    for table in made.values():
        assert {len(row) for row in table.rows} == {len(table.header)}
        with Console(width=200, record=True) as console:
            console.print(table.rich())
        assert table.rows[0][0] in console.export_text()
        assert table.markdown().count("\n") == len(table.rows) + 1


def test_targets_say_what_is_met(report: dict[str, Any]) -> None:
    rows = {row[0]: row for row in tables(report)["targets"].rows}
    assert rows["network / PIDNet-S, bf16"] == ("network / PIDNet-S, bf16", "≤ 0.60", "≤ 0.35", "0.40", "must")
    assert rows["outside the network / network"][-1] == "aim"
    assert rows["frames answered at 10 Hz"][-2:] == ("97.0%", "no")
    assert rows["frames answered at 20 Hz"][1] == "–"
    assert rows["stamp → masks received, p99 at 10 Hz"][-2:] == ("60 ms", "must")


def test_what_was_not_measured_is_not_claimed(report: dict[str, Any]) -> None:
    bare = {**report, "dds": [], "growth": None, "ratio_to_pidnet_s": None, "peers": {}}
    made = tables(bare)
    assert set(made) == {"machine", "targets", "networks", "stages"}
    verdicts = {row[0]: row[-1] for row in made["targets"].rows}
    assert verdicts["network / PIDNet-S, bf16"] == verdicts["frames answered at 10 Hz"] == "–"


def test_networks_stand_in_the_order_of_their_time(report: dict[str, Any]) -> None:
    assert [row[0] for row in tables(report)["networks"].rows] == ["ours", "ours, camera alone", "PIDNet-S"]


def test_the_document_has_a_place_for_every_table_and_takes_it_once(
    report: dict[str, Any], fill: Callable[[str, dict[str, Table]], str], script: dict[str, Any]
) -> None:
    document = (CHECKOUT / "docs/performance.md").read_text("utf-8")
    assert sorted(re.findall(r"<!-- table: (\w+) -->", document)) == sorted((*NAMES, *script["OTHERS"]))
    filled = fill(document, tables(report))
    assert fill(filled, tables(report)) == filled
    for table in tables(report).values():
        assert table.markdown() in filled
    assert fill(filled, {"stages": tables(report)["stages"]}) == filled


def test_a_marker_that_no_table_has_is_an_error(fill: Callable[[str, dict[str, Table]], str]) -> None:
    with pytest.raises(ValueError, match="no table 'gpu'"):
        fill("<!-- table: gpu -->\n<!-- end -->", {})
