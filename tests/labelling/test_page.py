# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from perception.labelling.page import MOST, label_page
from perception.labelling.report import Labelled, Provenance, Refused, Summary, total


def drive(number: int, failed: int = 0) -> Labelled:
    summary = Summary(
        frames=10, labelled=10 - failed, kept=0, failed=dict.fromkeys(map(str, range(failed)), "truncated PNG"),
        sensors={}, weights={}, overturns={}, absent={}, complaints={},
        share={"background": 0.5, "road": 0.3, "vehicle": 0.15, "pedestrian": 0.05},
    )  # fmt: skip
    return Labelled(
        input=f"drive{number:04d}", output="out", summary=summary, remarks=[], broken="", topics_left_out=[], fps=1.0,
        seconds={"total": 2.0}, provenance=Provenance(model="m", weights_sha256="abc", engine="e", versions={"x": "1"}),
        ran_on="here:1", drive_s=360.0,
    )  # fmt: skip


def test_the_worst_stand_first_and_every_input_has_its_shares(tmp_path: Path) -> None:
    gone = Refused(input="gone", output="y", error="/gone: no such bag", attempts=1)
    page = label_page(total([drive(0), drive(1, failed=5), gone], 2.0))
    assert "3 inputs were given, 2 labelled, 1 not" in page.lead
    assert ("hours of drive", "0.20") in page.tiles
    assert [row[:2] for row in page.first[0].rows] == [("gone", "100.0%"), ("drive0001", "50.0%")]
    assert page.tables[0].rows[0] == ("drive0000", "10", "0.100", "0", "30.0%", "15.0%", "5.0%", "2.0", "1")
    assert len(page.plots) == 2
    page.write(tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "truncated PNG" in text
    assert 'src="data:image/png' in text


def test_a_fleet_has_a_table_of_so_many_rows() -> None:
    page = label_page(total([drive(number) for number in range(MOST + 5)], 2.0))
    assert len(page.tables[0].rows) == MOST
    assert page.tables[0].title == f"Inputs, the first {MOST} of {MOST + 5}"
    assert page.first[0].rows == []


def test_nothing_labelled_has_a_page_too() -> None:
    assert "1 not" in label_page(total([Refused(input="x", output="y", error="why")], 2.0)).html()
