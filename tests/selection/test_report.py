# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json

from perception.reporting.reports import content
from perception.selection.report import Chosen, SelectReport


def test_it_is_json_with_a_schema() -> None:
    chosen = Chosen(
        rank=1, image="0001_a_000", input="a", labelled="b", frame="000", stamp_ns=5, score=1.5,
        values={"flicker": None}, tails={"flicker": 1.0}, reasons=["why"],
    )  # fmt: skip
    report = SelectReport(
        frames=1, drives=1, model="m", measured={}, holding={}, notes=[], left_out={}, files=[], seconds=0.5,
        chosen=[chosen],
    )  # fmt: skip
    found = json.loads(json.dumps(content("select", report)))
    assert found["schema"] == "perception/select-report/1"
    assert found["chosen"][0]["values"] == {"flicker": None}
