# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from helpers.explained import explanation

from perception.explanation.table import tables


def test_the_tables_have_a_row_per_class_and_per_removed_sensor() -> None:
    classes, weights, without = tables(explanation())
    rows = [[str(cell) for cell in column.cells] for column in classes.columns]
    assert rows[0] == ["road", "vehicle", "pedestrian"]
    assert rows[1] == ["50.0%", "0.0%", "0.0%"]
    assert rows[2] == ["80.0%", "–", "–"]
    assert [list(column.cells)[-1] for column in weights.columns] == ["all", "70%", "30%"]
    first = [next(iter(column.cells)) for column in without.columns]
    assert first == ["depth", "25.00%", "+0.00 %", "+25.00 %", "+0.00 %"]
    assert len(list(tables(explanation(ablations={})))) == 2
