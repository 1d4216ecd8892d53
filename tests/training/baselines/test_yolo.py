# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("ultralytics")
pytest.importorskip("onnxruntime")

from helpers.datasets.people import write_people

from perception import Pipeline
from perception.classes import PEDESTRIAN, UNLABELLED
from perception.cli.main import main
from perception.datasets.penn_fudan import PennFudan
from perception.training.baselines.examples import Examples
from perception.training.baselines.yolo import outline, write_data


def test_it_is_trained_and_runs_as_any_model(tmp_path: Path) -> None:
    people, out = write_people(tmp_path / "people"), tmp_path / "out"
    train = ["train", "yolov8n_seg", "--data", f"penn-fudan={people}", "-o", str(out), "--workers", "0"]
    assert main([*train, "--iterations", "1", "--batch-size", "4"]) == 0
    assert {path.name for path in out.iterdir()} == {"model.onnx", "model.yaml", "weights.pt", "SHA256SUMS"}
    prediction = Pipeline.load(out / "model.onnx", threads=1)(PennFudan(people)[0].frame)
    assert set(np.unique(prediction.labels)) <= {PEDESTRIAN, UNLABELLED}
    assert prediction.instances is not None
    assert main(["eval", "penn-fudan", str(people), "--model", str(out / "model.onnx"), "--threads", "1"]) == 0


def test_an_outline_goes_about_every_part() -> None:
    mask = np.zeros((64, 96), bool)
    mask[10:30, 10:30] = mask[40:60, 50:90] = True
    corners = np.array(outline(mask)).reshape(-1, 2) * [96, 64] - 0.5
    drawn = np.zeros((64, 96), np.uint8)
    cv2.fillPoly(drawn, [np.rint(corners).astype(np.int32)], 1)
    assert (drawn[mask] == 1).all()
    assert drawn.sum() <= mask.sum() + 80  # the way from one to the other


def test_data_is_written_as_the_package_reads_it(tmp_path: Path) -> None:
    examples = Examples([("penn-fudan", write_people(tmp_path / "people", 5))], lambda _: None)
    path = write_data(examples, tmp_path / "yolo")
    assert "pedestrian" in path.read_text()
    lines = (tmp_path / "yolo/labels/000000.txt").read_text().splitlines()
    assert [line.split()[0] for line in lines] == ["0", "0"]
    assert len((tmp_path / "yolo/train.txt").read_text().split()) == 4
