# SPDX-License-Identifier: Apache-2.0
"""The floor under the shipped weights, on data that training did not see: what they reach now, less a margin."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from perception import Pipeline
from perception.datasets.camvid import CamVid
from perception.evaluation.evaluate import evaluate
from perception.paths import WEIGHTS
from perception.simulation import SimulatedDrive


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline.load()


def test_camvid_val(pipeline: Pipeline, real_data: Path) -> None:
    iou = evaluate(pipeline, CamVid(real_data / "camvid", "val")[::3]).confusion.iou()
    assert iou["road"] >= 0.94
    assert iou["vehicle"] >= 0.80
    assert iou["pedestrian"] >= 0.45


def test_a_simulated_day_drive(pipeline: Pipeline) -> None:
    drive = SimulatedDrive(seed=2, frames=100)
    iou = evaluate(pipeline, (drive[i] for i in range(5, 100, 16))).confusion.iou()
    assert iou["road"] >= 0.90
    assert iou["vehicle"] >= 0.80
    assert iou["pedestrian"] >= 0.60


@pytest.mark.parametrize("model", ["dual_branch_s", "dual_branch_s_int8"])
def test_the_stored_frame_is_answered_as_when_it_was_stored(model: str) -> None:
    agreement = Pipeline.load(model).self_check()
    assert agreement is not None
    assert agreement >= 0.99


def test_weights_are_small_and_have_a_card() -> None:
    files = [path for path in WEIGHTS.iterdir() if path.suffix in {".safetensors", ".xml", ".bin"}]
    assert {path.suffix for path in files} == {".safetensors", ".xml", ".bin"}
    assert max(path.stat().st_size for path in files) <= 20e6
    card = (WEIGHTS / "README.md").read_text()
    for path in files:
        assert hashlib.sha256(path.read_bytes()).hexdigest() in card, path.name
