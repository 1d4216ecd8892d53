# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from perception.models import BoundaryCrossEntropy, HardPixelCrossEntropy, LovaszSoftmax
from perception.models.rare_losses import near_border

LOSSES = [LovaszSoftmax, HardPixelCrossEntropy, BoundaryCrossEntropy]


def _problem() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    labels = torch.zeros(2, 16, 16, dtype=torch.long)
    labels[:, 8:] = 1
    labels[0, 4:6, 4:6] = 3
    labels[1, :2] = 255
    return torch.randn(2, 4, 16, 16, generator=generator, requires_grad=True), labels


@pytest.mark.parametrize("kind", LOSSES)
def test_falls_with_better_logits_and_is_least_for_the_truth(kind) -> None:
    logits, labels = _problem()
    right = 20.0 * torch.nn.functional.one_hot(labels.clamp(max=3), 4).permute(0, 3, 1, 2)
    loss = kind(loss_weight=0.5)
    values = [loss(logits + share * right, labels).item() for share in (0, 0.1, 1)]
    assert values[0] > values[1] > values[2]
    assert values[2] < 1e-3
    assert kind()(logits, labels).item() == pytest.approx(2 * values[0])
    loss(logits, labels).backward()
    assert (logits.grad[1, :, :2] == 0).all()
    assert logits.grad.abs().sum() > 0


@pytest.mark.parametrize("kind", LOSSES)
def test_nothing_labelled_teaches_nothing(kind) -> None:
    logits, labels = _problem()
    kind()(logits, torch.full_like(labels, 255)).backward()
    assert (logits.grad == 0).all()


def test_lovasz_is_one_minus_iou_for_sure_mistakes() -> None:
    labels = torch.zeros(1, 8, 8, dtype=torch.long)
    labels[:, :, 4:] = 1
    predicted = torch.zeros_like(labels)
    predicted[:, :, 2:] = 1
    logits = 40.0 * torch.nn.functional.one_hot(predicted, 4).permute(0, 3, 1, 2)
    # Class 0: 2 of 4 columns are found, class 1: 4 of 6.
    assert float(LovaszSoftmax()(logits, labels)) == pytest.approx(1 - (2 / 4 + 4 / 6) / 2, abs=1e-3)


def test_hard_pixels_are_the_unsure_ones_or_the_worst_share() -> None:
    labels = torch.zeros(1, 1, 100, dtype=torch.long)
    logits = torch.zeros(1, 4, 1, 100)
    logits[:, 0] = torch.linspace(3, 8, 100)
    logits[0, 0, 0, :5] = -3  # wrong
    every = torch.nn.functional.cross_entropy(logits, labels, reduction="none").flatten()
    assert float(HardPixelCrossEntropy(keep=0.01)(logits, labels)) == pytest.approx(float(every[:5].mean()), rel=0.1)
    half = float(every.topk(51).values.mean())
    assert float(HardPixelCrossEntropy(keep=0.5)(logits, labels)) == pytest.approx(half, rel=0.05)
    weighted = HardPixelCrossEntropy(keep=0.01, class_weight=(2, 1, 1, 1))(logits, labels)
    assert float(weighted) == pytest.approx(float(every[:5].mean()), rel=0.1)


def test_borders_lie_between_classes_and_not_at_what_is_unlabelled() -> None:
    labels = torch.zeros(1, 9, 9, dtype=torch.long)
    labels[:, :, 6:] = 2
    labels[:, :2] = 255
    border = near_border(labels, 1)[0]
    assert border[2:, 5:7].all()
    assert int(border.sum()) == 7 * 2


def test_lovasz_per_image_is_the_mean_of_the_images_with_labels() -> None:
    logits, labels = _problem()
    each = [LovaszSoftmax()(logits[i : i + 1], labels[i : i + 1]).item() for i in (0, 1)]
    assert LovaszSoftmax(per_image=True)(logits, labels).item() == pytest.approx(sum(each) / 2)
    labels[1] = 255
    assert LovaszSoftmax(per_image=True)(logits, labels).item() == pytest.approx(each[0])
