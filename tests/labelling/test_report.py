# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.labelling.report import Labelled, Provenance, Refused, Summary, total

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
