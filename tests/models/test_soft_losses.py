# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.models.soft_losses import (  # noqa: E402
    SoftLabelLoss,
    confidence,
    divergence,
    mean_probabilities,
    soften,
)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_divergence_is_zero_for_the_same_opinion_alone(temperature: float) -> None:
    logits = torch.randn(2, 4, 3, 5, generator=torch.Generator().manual_seed(0))
    same = mean_probabilities([logits, logits], temperature)
    torch.testing.assert_close(divergence(logits, same, temperature), torch.zeros(2, 3, 5), atol=1e-5, rtol=0)
    assert (divergence(logits, mean_probabilities([-logits], temperature), temperature) > 0).all()


def test_softening_is_dividing_logits() -> None:
    logits = torch.randn(1, 4, 2, 2, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(soften(logits.softmax(1), 2.0), (logits / 2).softmax(1), atol=1e-4, rtol=0)


def test_confidence_is_zero_for_knowing_nothing() -> None:
    pixels = torch.tensor([[0, 0, 0, 0], [0.25] * 4, [1, 0, 0, 0], [0.6, 0.4, 0, 0]]).T[None, :, None]
    torch.testing.assert_close(confidence(pixels)[0, 0], torch.tensor([0, 0, 1, (4 * 0.6 - 1) / 3]))


def test_soft_labels_weigh_by_their_confidence() -> None:
    soft = torch.zeros(1, 4, 2, 2, dtype=torch.uint8)
    soft[0, 2, 0, 0] = 255
    logits = torch.zeros(1, 4, 4, 4, requires_grad=True)
    loss, pixels = SoftLabelLoss()(logits, soft)
    assert float(pixels) == 4  # one soft pixel of half the resolution
    assert float(loss) == pytest.approx(torch.log(torch.tensor(4.0)).item(), abs=1e-3)
    loss.backward()
    assert (logits.grad[0, 2, :2, :2] < 0).all()
    assert (logits.grad[0, :, 2:] == 0).all()
    nothing, none = SoftLabelLoss()(logits, torch.zeros_like(soft))
    assert float(nothing) == float(none) == 0
