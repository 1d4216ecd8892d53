# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from helpers.training.compared import report, row

from perception.comparing.report import (
    CompareReport,
    FlickerScore,
    Scored,
    SetScore,
    front,
    known,
    mean,
    names_of,
    read,
    rounded,
    summarise,
    write,
)
from perception.errors import DataError

DUAL = ("rgb", "depth", "infrared", "lidar")


def score(scored: Scored, iou: float, subsets: dict[str, float | None]) -> SetScore:
    return SetScore(
        scored=scored, at="pixels", soft_frames=1, iou={"road": iou, "vehicle": None, "pedestrian": 0.1}, mean_iou=iou,
        calibration_error=0.1, subsets=subsets,
    )  # fmt: skip


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    far = row(training=None, timing=None)
    dual = row(0.6, 1.5, DUAL)
    dual.flicker = FlickerScore(scored=dual.sets["camvid"].scored, name="kitti-frames", share=0.02, steadied=None)
    made = report(unet=row(), dual_unet=dual, far=far)
    made.left_out = {"fcn": "diverged"}
    write(tmp_path / "compare.json", made)
    assert read(tmp_path / "compare.json") == made


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "not a report of `perception compare`"),
        ("[]", "not a report of `perception compare`"),
        ('{"schema": "perception/eval-report/1"}', "schema perception/eval-report/1, expected perception/compare-repo"),
        ('{"schema": "perception/compare-report/1"}', "KeyError: 'networks'"),
        ('{"schema": "perception/compare-report/1", "networks": {"a": {}}, "sets": {}}', "not a report"),
    ],
)
def test_another_file_is_refused(content: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "compare.json"
    path.write_text(content)
    with pytest.raises(DataError, match=said):
        read(path)


def test_means_are_over_the_sets_and_points_over_those_with_more_sensors() -> None:
    real, also, made = (Scored(part="val", of=9, frames=3, real=each, resolution=1.0) for each in (True, True, False))
    dual = row(sees=DUAL)
    dual.sets = {
        "camvid": score(real, 0.5, {}),
        "kitti-frames": score(also, 0.7, {"camera": 0.6, "+lidar": 0.7, "all": 0.7}),
        "simulated": score(made, 0.9, {"camera": 0.8, "+depth": None, "+lidar": 0.85, "all": 0.9}),
    }
    found = CompareReport(sets={"camvid": real, "kitti-frames": also, "simulated": made}, networks={"dual": dual})
    summarise(found)
    assert dual.real is not None
    assert dual.simulated is not None
    assert dual.real.iou == pytest.approx({"road": 0.6, "vehicle": None, "pedestrian": 0.1})
    assert dual.real.mean_iou == pytest.approx(0.35)
    assert dual.real.points == pytest.approx({"+lidar": 10, "all": 10})
    assert dual.simulated.points == pytest.approx({"+depth": None, "+lidar": 5, "all": 10})
    assert names_of(found.sets, False) == ["simulated"]


def test_a_row_that_was_scored_on_other_frames_has_no_means() -> None:
    found = report(unet=row(), fcn=row(0.9))
    found.sets["camvid"] = replace(found.sets["camvid"], frames=1)
    summarise(found)
    assert found.networks["unet"].real is None
    assert found.pareto_front == []


def test_the_front_is_of_those_trained_alike_that_none_beats() -> None:
    rows = {"fast": row(0.4, 0.5), "good": row(0.6, 2.0), "slow": row(0.4, 0.6), "bad": row(0.5, 2.0)}
    assert front(report(**rows).networks) == ["fast", "good"]
    assert front(report(**rows, far=row(0.9, 0.1, training=None)).networks) == ["fast", "good"]
    assert front(report(**rows, same=row(0.6, 2.0), untimed=row(0.9, timing=None)).networks) == ["fast", "good", "same"]


def test_nothing_is_no_number() -> None:
    assert known(float("nan")) is None
    assert mean([None, 0.25, 0.76], 1) == 0.5
    assert mean([], 1) is None
    assert rounded({"road": 0.123456, "vehicle": float("nan")}) == {"road": 0.1235, "vehicle": None}
