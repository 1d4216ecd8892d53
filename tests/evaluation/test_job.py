# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from rich.progress import Progress

from perception.errors import DataError
from perception.evaluation.job import EvalOptions, Part, open_samples, part_of, run_eval


def scored(model: Path, dataset: str, root: Path, **more: object) -> EvalOptions:
    return EvalOptions(dataset=dataset, root=root, model=model, threads=1, split="train", **more)


def test_the_score_is_that_of_the_pipeline(tiny_model: Path, camvid: Path) -> None:
    """The tiny network's class is red // 64: 60 of the sky is background, 90 of the road is road, and all is right."""
    result = run_eval(scored(tiny_model, "camvid", camvid), Progress(disable=True))
    scores = result.report.scores
    assert scores is not None
    assert (result.count, scores.frames, scores.frames_without_truth) == (3, 3, 0)
    assert scores.iou["road"] == scores.pixel_accuracy == 1
    assert scores.modality_weights["rgb"] == 1
    assert result.report.part == Part(split="train")
    assert result.extremes.pictures == []  # nobody asked for them


def test_a_limit_is_spread_over_the_samples(tiny_model: Path, camvid: Path) -> None:
    result = run_eval(scored(tiny_model, "camvid", camvid, limit=2), Progress(disable=True), pictures=True)
    assert result.report.scores is not None
    names = [score.name for score in result.report.scores.per_frame]
    whole = [sample.name for sample in open_samples(scored(tiny_model, "camvid", camvid))]
    assert names == [whole[0], whole[1]]
    assert len(result.extremes.pictures) == 4
    assert run_eval(scored(tiny_model, "camvid", camvid, limit=99), Progress(disable=True)).count == 3


def test_sensors_that_are_not_kept_do_not_count(tiny_model: Path, kitti_drive: Path) -> None:
    options = EvalOptions(dataset="kitti-raw", root=kitti_drive, model=tiny_model, threads=1, modalities=("lidar",))
    result = run_eval(options, Progress(disable=True))
    assert result.report.scores is not None
    weights = result.report.scores.modality_weights
    assert (weights["rgb"], weights["lidar"]) == (0, 1)
    assert result.title.endswith("only lidar")


def test_a_folder_is_needed_but_for_what_is_rendered() -> None:
    with pytest.raises(DataError, match="no folder given"):
        open_samples(EvalOptions(dataset="camvid"))
    rendered = open_samples(EvalOptions(dataset="simulated", seed=5, drives=2, frames=3))
    assert len(rendered) == 6
    assert part_of(EvalOptions(dataset="simulated", seed=5, drives=2)) == Part(condition="day", seed=5, drives=2)


def test_what_does_not_go_together_is_refused(tiny_model: Path, camvid: Path, tmp_path: Path) -> None:
    options = scored(tiny_model, "camvid", camvid, suite="robustness", submission=tmp_path / "out")
    with pytest.raises(DataError, match="--suite"):
        run_eval(options, Progress(disable=True))
