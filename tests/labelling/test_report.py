# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import pytest

from perception.labelling.report import LOST, Labelled, Overturn, Provenance, Refused, Summary, cause_of, total

BY = Provenance(model="m", weights_sha256="0", engine="openvino", versions={})


def labelled(frames: int, new: int, road: float, failed: int = 0) -> Labelled:
    share = {"background": 1 - road, "road": road, "vehicle": 0.0, "pedestrian": 0.0}
    summary = Summary(
        frames=frames, labelled=new, kept=frames - new - failed, failed=dict.fromkeys(map(str, range(failed)), "why"),
        sensors={}, weights={}, overturns={}, absent={}, complaints={}, share=share,
    )  # fmt: skip
    return Labelled(
        input="in", output="out", summary=summary, remarks=[], broken="", topics_left_out=[], fps=1.0, seconds={},
        provenance=BY, ran_on="here:1",
    )  # fmt: skip


def test_shares_count_by_frames() -> None:
    refused = Refused(input="x", output="y", error="no such folder")
    found = total([labelled(30, 20, 0.2), refused, labelled(10, 0, 0.6, failed=1)], 4.0)
    assert (found.frames, found.labelled, found.failed) == (40, 20, 1)
    assert found.fps == 5.0
    assert found.share["road"] == pytest.approx((30 * 0.2 + 10 * 0.6) / 40)
    assert sum(found.share.values()) == pytest.approx(1)
    assert found.provenance is BY
    assert len(found.inputs) == 3
    assert len(found.good) == 2


def test_nothing_labelled_has_no_provenance_and_no_share() -> None:
    found = total([Refused(input="x", output="y", error="why")], 2.0)
    assert (found.frames, found.fps, found.provenance) == (0, 0, None)
    assert set(found.share.values()) == {0}


def test_a_class_of_one_s_own_has_its_share_too() -> None:
    one, other = labelled(30, 30, 0.2), labelled(10, 10, 0.2)
    for each, bicycle in ((one, 0.1), (other, 0.5)):
        each.summary.share.update(background=0.8 - bicycle, bicycle=bicycle)
    found = total([one, other], 1.0)
    assert found.share["bicycle"] == pytest.approx((30 * 0.1 + 10 * 0.5) / 40)
    assert sum(found.share.values()) == pytest.approx(1)


def test_hours_attempts_failures_and_the_worst_first() -> None:
    fine, cut, odd = labelled(36, 36, 0.2), labelled(20, 10, 0.2, failed=10), labelled(10, 10, 0.2)
    fine, cut = replace(fine, drive_s=3600.0, attempts=3), replace(cut, input="cut", drive_s=1800.0)
    overturns = {"lidar": Overturn(frames=10, share=0.3, most=0.4, frame="7")}
    odd = replace(odd, input="odd", summary=replace(odd.summary, overturns=overturns))
    gone = Refused(
        input="gone", output="y", error="/data/gone: its worker or machine was lost: x", cause=LOST, attempts=4
    )
    found = total([fine, odd, cut, gone], 1.0)
    assert found.hours == 1.5
    assert found.retried == 2 + 3
    assert found.failures == {"why": 10, "its worker or machine was lost: x": 1}
    assert [(each.input, each.missing) for each in found.worst] == [("gone", 1.0), ("cut", 0.5), ("odd", 0.0)]
    assert found.worst[1].why == "10 frames: why"
    assert found.worst[2].why == "lidar contradicts the others on 30.0% of the image"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("/data/a b/001.png: truncated PNG (ends after 80 bytes)", "truncated PNG"),
        ("/data/empty: is an empty folder; expected a bag", "is an empty folder"),
        ("two inputs are called a", "two inputs are called a"),
        ("/bag: message 17 of /points: not a PointCloud2", "message N of /points: not a PointCloud2"),
    ],
)
def test_errors_of_one_kind_have_one_cause(error: str, cause: str) -> None:
    assert cause_of(error) == cause
