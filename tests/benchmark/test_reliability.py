# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def reliability(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    module = importlib.import_module("reliability")
    monkeypatch.delitem(sys.modules, "reliability")
    return module


XML = """\
<testsuites><testsuite>
<testcase classname="tests.faults.test_sensors" name="test_a_lidar_that_stops"><properties>
<property name="sent" value="20"/><property name="lost" value="1"/><property name="recovery_s" value="0.31"/>
</properties></testcase>
<testcase classname="tests.faults.test_messages" name="test_broken_images[half the data]"><properties>
<property name="sent" value="10"/><property name="lost" value="0"/><property name="recovery_s" value="0.2"/>
<property name="recovery_s" value="0.4"/></properties><failure message="no"/></testcase>
<testcase classname="tests.faults.test_processes" name="test_memory"><properties>
<property name="memory_growth_mb" value="1.5"/><property name="files_growth" value="0"/></properties></testcase>
</testsuite></testsuites>
"""


def test_every_fault_is_a_row_and_failures_count(reliability: Any, tmp_path: Path) -> None:
    path = tmp_path / "faults.xml"
    path.write_text(XML)
    made = reliability.tables(path)
    assert made["faults"].rows[0] == ("sensors", "a lidar that stops", "yes", "20", "1", "0.31")
    assert made["faults"].rows[1] == ("messages", "broken images[half the data]", "no", "10", "0", "0.40")
    totals = dict(made["totals"].rows)
    assert (totals["faults tried"], totals["survived"]) == ("3", "2")
    assert totals["of them lost"] == "1"
    assert totals["growth of memory over the long drive, MB"] == "1.5"


def test_the_document_has_a_place_for_every_table(reliability: Any) -> None:
    text = (ROOT / "docs/reliability.md").read_text("utf-8")
    assert set(re.findall(r"<!-- table: (\w+) -->", text)) == set(reliability.NAMES)


def test_every_file_of_faults_has_a_name(reliability: Any) -> None:
    assert {path.stem for path in (ROOT / "tests/faults").glob("test_*.py")} == set(reliability.WORDS)
