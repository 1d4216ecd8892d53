# SPDX-License-Identifier: Apache-2.0
"""The robustness suite on a segmentation whose answers are known: right with the camera, all road without."""

from __future__ import annotations

import json

import numpy as np
import pytest
from helpers.coloured import sample

from perception.classes import PALETTE
from perception.errors import DataError
from perception.evaluation.robustness.history import RecordedHistory
from perception.evaluation.robustness.suite import run_rows, sensor_rows, subsets, weather_rows
from perception.evaluation.robustness.summary import summarise
from perception.frame import MODALITIES, Frame, Prediction
from perception.reporting.reports import plain


def by_colour(frame: Frame) -> Prediction:
    width, height = frame.size
    labels = np.ones((height, width), np.uint8)
    if frame.rgb is not None:
        distance = np.abs(frame.rgb[:, :, None].astype(int) - PALETTE).sum(3)
        labels = distance.argmin(2).astype(np.uint8)
    return Prediction(frame.stamp_ns, labels, np.full_like(labels, 255), dict.fromkeys(frame.modalities, 1.0))


@pytest.fixture(scope="module")
def scores():
    samples = [sample(number) for number in range(8)]
    done = []
    rows = list(sensor_rows(MODALITIES))
    scores = run_rows(
        by_colour, {i: samples[i] for i in (1, 7)}, rows, RecordedHistory(samples), lambda: done.append(1)
    )
    assert len(done) == 2 * len(rows)
    return scores


def test_there_are_15_subsets_of_four():
    assert len(subsets(MODALITIES)) == 15
    assert subsets(MODALITIES)[0] == MODALITIES
    assert subsets(("lidar", "rgb")) == [("rgb", "lidar"), ("rgb",), ("lidar",)]


def test_all_rows_are_there(scores):
    groups = [score.row.group for score in scores]
    counts = {group: groups.count(group) for group in dict.fromkeys(groups)}
    assert counts == {"EMM": 15, "RMM": 45, "NM": 3, "corruption": 75, "camera": 3, "lidar": 9}
    assert len({score.row.name for score in scores}) == len(scores)


def test_subsets_score_as_they_should(scores):
    by_name = {score.row.name: score for score in scores}
    assert by_name["rgb + depth + infrared + lidar"].confusion.mean_iou() == 1
    assert by_name["lidar"].confusion.iou()["vehicle"] == 0
    assert by_name["black"].confusion.mean_iou() < 0.5
    assert by_name["75% of nothing lost"].confusion.mean_iou() == 1


def test_rows_that_look_back_count_the_frames_that_allow_it(scores):
    frames = {score.row.name: score.frames for score in scores}
    assert frames["late by 100 ms"] == 2
    assert frames["late by 50 ms"] == 0  # these frames come every 100 ms
    assert frames["late by 200 ms"] == frames["frozen for 0.5 s"] == 1


def test_every_row_is_compared_with_its_own_frames(scores):
    by_name = {score.row.name: score for score in scores}
    assert by_name["rgb + depth + infrared + lidar"].gain == 0
    assert by_name["frozen for 0.5 s"].undisturbed.pixels == 48 * 64
    blind = by_name["lidar"]
    assert blind.gain == pytest.approx(blind.confusion.mean_iou() - 1)


def test_the_summary_by_hand(scores):
    emm = [score.confusion.mean_iou() for score in scores if score.row.group == "EMM"]
    summary = summarise(scores)
    assert summary.all_sensors == 1
    assert summary.emm.average == pytest.approx(np.mean(emm))
    assert summary.emm.share_of_all == pytest.approx(np.mean(emm))
    blind = next(score for score in scores if score.row.name == "lidar").confusion.mean_iou()
    # Blind where the camera is lost and one of the other three is left.
    p = 0.2
    lost = p * (1 - p**3) / (1 - p**4)
    assert summary.emm.expected["0.20"] == pytest.approx(1 - lost + lost * blind)
    assert summary.corruptions.mean_error == pytest.approx(1 - summary.corruptions.mean)
    assert len(summary.corruptions.by_corruption) == 15
    json.dumps(plain({"summary": summary, "rows": [score.report() for score in scores]}), allow_nan=False)


def test_rows_can_be_computed_again():
    rows = [row for row in sensor_rows(MODALITIES) if row.name == "gaussian_noise 5"]
    runs = [run_rows(by_colour, {0: sample(0)}, rows, lambda *_: None)[0].confusion.counts for _ in range(2)]
    np.testing.assert_array_equal(*runs)


def test_a_camera_alone_has_no_lidar_rows():
    assert {row.group for row in sensor_rows(["rgb"])} == {"EMM", "RMM", "NM", "corruption", "camera"}
    assert [row.name for row in weather_rows("night", ["rgb", "lidar"])] == ["night", "night, rgb alone"]


def test_truth_of_pixels_is_needed():
    bare = sample(0)
    bare.labels = None
    with pytest.raises(DataError, match="a/000000: the robustness suite needs labels"):
        run_rows(by_colour, {0: bare}, list(sensor_rows(["rgb"])), lambda *_: None)
