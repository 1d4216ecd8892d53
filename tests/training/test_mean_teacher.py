# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
import torch

pytest.importorskip("mmseg")

from helpers.recipes import small
from mmengine.config import Config

from perception.paths import config_path
from perception.training.mean_teacher import MeanTeacher
from perception.training.recipe import MeanTeaching
from perception.training.train import Options, train
from perception.training.trainee import untaught


def _logits(*classes: int) -> torch.Tensor:
    """(1, 4, 1, N) nearly certain logits."""
    logits = torch.full((1, 4, 1, len(classes)), -5.0)
    for place, class_id in enumerate(classes):
        logits[0, class_id, 0, place] = 5.0
    return logits


def test_teaches_what_is_unknown_where_it_is_sure() -> None:
    teacher = MeanTeacher(weight=1.0)
    student, average = _logits(0, 0, 0), _logits(2, 2, 2)
    average[..., 2] = 0  # not sure
    unknown = torch.tensor([[[True, False, True]]])
    loss = teacher.loss(student, average, unknown)
    wrong = torch.nn.functional.cross_entropy(student[..., 0], torch.tensor([[2]]))
    torch.testing.assert_close(loss, wrong / 3)
    assert teacher.loss(student, student, unknown) < 0.01
    assert teacher.loss(student, average, torch.zeros_like(unknown)) == 0


def test_thresholds_are_by_class() -> None:
    average = torch.zeros(1, 4, 1, 2)
    average[0, 2, 0, 0] = average[0, 3, 0, 1] = 3.0  # 0.87 of each
    unknown = torch.ones(1, 1, 2, dtype=torch.bool)
    student = _logits(0, 0).requires_grad_()
    MeanTeacher(thresholds=(1, 1, 0.9, 0.8)).loss(student, average, unknown).backward()
    assert student.grad is not None
    assert not student.grad[..., 0].any()
    assert student.grad[..., 1].any()


def test_soft_labels_that_say_nothing() -> None:
    soft = torch.zeros(1, 4, 2, 2, dtype=torch.uint8)
    soft[0, 1, 0, 0] = 9
    assert untaught(soft, (4, 4))[0].int().tolist() == [[0, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]]


def test_trains_with_its_own_average(camvid: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    recipe = small(mean_teacher=MeanTeaching(weight=0.5))
    averages = []
    original = MeanTeacher.loss

    def remember(self: MeanTeacher, *arguments: torch.Tensor) -> torch.Tensor:
        averages.append(self.average)
        return original(self, *arguments)

    monkeypatch.setattr(MeanTeacher, "loss", remember)
    assert train(
        config, recipe, Options([("camvid", camvid)], tmp_path, iterations=2, workers=0), lambda _: None
    ).is_file()
    assert len(averages) == 2
    assert averages[0] is averages[1]
    assert not averages[0].training
