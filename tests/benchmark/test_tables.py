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
    assert rows["network / PIDNet-S, bf16"] == ("network / PIDNet-S, bf16", "≤ 0.42", "≤ 0.35", "0.40", "must")
    assert rows["network / PIDNet-S, int8"][-2:] == ("–", "–")
    assert rows["outside the network / network"][-2:] == ("0.15", "no")
    assert rows["frames answered at 10 Hz"][-2:] == ("97.0%", "no")
    assert rows["frames answered at 20 Hz"][1] == "98.0%"
    assert rows["stamp → masks received, p99 at 10 Hz"][-2:] == ("60 ms", "aim")
    assert rows["stamp → masks received, p99 at 20 Hz"][-2:] == ("–", "–")
    # 48 ms at 50 Hz, 20 ms of them the network's and 20 ms a period.
    assert rows["overload ×3: p99 less network and period"][1:] == ("≤ 10 ms", "≤ -10 ms", "8 ms", "must")
    assert rows["memory of the node, steady"][-2:] == ("320 MB", "must")


def test_what_was_not_measured_is_not_claimed(report: dict[str, Any]) -> None:
    alone = {"bf16": {**report["network"]["bf16"], "ratio": None}}
    bare = {**report, "dds": [], "overload": None, "growth": None, "network": alone, "peers": {}}
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
    with pytest.raises(ValueError, match="no table 'none'"):
        fill("<!-- table: none -->\n<!-- end -->", {})
