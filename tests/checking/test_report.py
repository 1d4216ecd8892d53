# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from perception.checking.check import Report, TopicRow
from perception.checking.findings import finding
from perception.checking.influence import Change
from perception.checking.report import figures, lead, write
from perception.checking.timing import Pairing
from perception.ground import Ground


def report() -> Report:
    return Report(
        "/data/drive",
        12.3456,
        100,
        24,
        [finding("no-sensor", "bag", "nothing"), finding("topics-named", "topics", "as of a preset <b>")],
        topics=[TopicRow("/image", "sensor_msgs/msg/Image", 100, 9.98765, "camera", 12.3456, None)],
        pairs={"lidar": Pairing(99, 0.98765, 1.0, 4.56789, None, 3.21)},
        planes={"lidar": Ground.mounted(1.65432, np.radians(-2.0), np.radians(1.0))},
        alignment="fine",
        changes={"lidar": Change(0.123456, {"background": 0.1, "road": 0.023456, "vehicle": 0.0}, 0.33333)},
        pictures=[("A frame", np.full((20, 30, 3), 90, np.uint8))],
    )


def test_figures_are_rounded_and_angles_in_degrees() -> None:
    found = figures(report())
    assert (found.seconds, found.errors, found.warnings) == (12.346, 1, 0)
    assert found.ground["lidar"].height_m == 1.654
    assert (found.ground["lidar"].pitch_deg, found.ground["lidar"].roll_deg) == pytest.approx((-2.0, 1.0), abs=0.02)
    assert (found.pairs["lidar"].share, found.pairs["lidar"].offset_ms_max) == (0.988, None)
    assert found.changes["lidar"] == Change(0.12346, {"background": 0.1, "road": 0.02346, "vehicle": 0.0}, 0.3333)


def test_the_result_in_a_sentence_counts_what_there_is() -> None:
    assert lead(report()) == "1 error, 1 note; 24 of 100 frames of 12.3 s were looked at"
    clean = report()
    clean.findings = []
    assert lead(clean).startswith("no finding; ")


def test_json_and_page_say_the_same(tmp_path: Path) -> None:
    write(report(), tmp_path / "out")
    said = json.loads((tmp_path / "out/check.json").read_text())
    assert [each["code"] for each in said["findings"]] == ["no-sensor", "topics-named"]
    assert said["topics"][0]["latency_ms_p95"] is None
    page = (tmp_path / "out/check.html").read_text()
    for words in (
        "no-sensor",
        "/image",
        "as of a preset &lt;b&gt;",
        "2.35%",
        "99%",
        "1.65",
        "-2.00",
        "data:image/jpeg",
    ):
        assert words in page
