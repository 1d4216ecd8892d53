# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

from perception.labelling.report import Labelled, Overturn, Provenance, Refused, Summary, total
from perception.labelling.table import MOST, mistakes, notes, table

BY = Provenance(model="m", weights_sha256="0", engine="openvino", versions={})


def labelled(broken: str = "", **changes: Any) -> Labelled:
    figures: dict[str, Any] = dict(
        frames=10, labelled=4, kept=6, failed={}, sensors={"rgb": 10, "lidar": 9}, weights={"rgb": 0.7, "lidar": 0.3},
        overturns={}, absent={}, complaints={},
        share={"background": 0.5, "road": 0.254, "vehicle": 0.2, "pedestrian": 0.046},
    )  # fmt: skip
    return Labelled(
        input="/data/drive", output="/out", summary=Summary(**figures | changes), remarks=["a remark"], broken=broken,
        topics_left_out=["/imu: why"], fps=12.34, seconds={}, provenance=BY, ran_on="here:1",
    )  # fmt: skip


def cells(*inputs: Labelled | Refused) -> tuple[list[str], list[list[str]]]:
    """The headings and rows."""
    found = table(total(list(inputs), 2.0))
    columns = [[str(cell) for cell in column.cells] for column in found.columns]
    return [str(column.header) for column in found.columns], [list(row) for row in zip(*columns, strict=True)]


def test_a_row_per_input_that_was_labelled() -> None:
    refused = Refused(input="x", output="y", error="no such folder")
    headings, rows = cells(labelled(), refused)
    assert headings == ["input", "frames", "new", "fps", "road", "vehicle", "pedestrian", "counted"]
    assert rows == [["drive", "10", "4", "12.3", "25.4%", "20.0%", "4.6%", "rgb 70%\nlidar 30%"]]


def test_failed_frames_have_a_column_where_there_are_any() -> None:
    headings, rows = cells(labelled(failed={"7": "truncated", "8": "truncated"}), labelled())
    assert headings[3] == "failed"
    assert [row[3] for row in rows] == ["2", "0"]


def test_below_it_stands_what_was_left_out() -> None:
    found = notes(total([labelled(absent={"rgb is black": 3}, complaints={"no TF": 2})], 1.0))
    assert "rgb 10, lidar 9" in found[0]
    said = "\n".join(found)
    for words in ("a remark", "rgb is black (3×)", "no TF (2×)", "/imu: why"):
        assert words in said


def test_a_sensor_that_contradicts_the_others_is_warned_of_where_enough_frames_say_so() -> None:
    def warned(frames: int, share: float) -> int:
        overturns = {"lidar": Overturn(frames, share, 0.4, "000007")}
        return sum("WARN" in line for line in notes(total([labelled(overturns=overturns)], 1.0)))

    assert warned(3, 0.02) == 1
    assert warned(2, 0.5) == 0
    assert warned(9, 0.019) == 0


def test_every_mistake_is_a_line() -> None:
    refused = Refused(input="x", output="y", error="no such folder")
    found = mistakes(total([refused, labelled("torn", failed={"7": "truncated"}), labelled()], 1.0))
    assert found == ["no such folder", "torn (9 frames)", "truncated"]


def test_of_a_fleet_the_terminal_tells_a_part() -> None:
    many = [labelled()] * (MOST + 3)
    assert len(cells(*many)[1]) == MOST
    assert notes(total(many, 1.0))[-1].startswith("… and 3 more inputs: ")
