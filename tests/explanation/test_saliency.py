# SPDX-License-Identifier: Apache-2.0
"""Saliency against networks whose answer is known by hand, and against finite differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.explanation.saliency import saliency_of  # noqa: E402

LINEAR = torch.tensor([[1.0, 0.0], [2.0, -1.0]])
"""Logits by class and channel."""


def linear_head() -> tuple[Any, Any, Any]:
    """(features, logits, mask of the right half) of a head that weighs two channels."""
    features = torch.tensor(np.random.default_rng(0).uniform(0, 1, (1, 2, 4, 6)), dtype=torch.float32)
    features.requires_grad_()
    logits = torch.einsum("ck,bkhw->bchw", LINEAR, features)
    return features, logits, torch.arange(6).expand(4, 6) >= 3


def test_grad_cam_of_a_linear_head_is_its_own_evidence_everywhere() -> None:
    features, logits, mask = linear_head()
    evidence = logits[0, 1].detach().relu()
    found = saliency_of(features, logits, 1, mask)
    torch.testing.assert_close(torch.tensor(found.heat), evidence / evidence.max())
    assert found.inside == pytest.approx((evidence[:, 3:].sum() / evidence.sum()).item())
    assert found.area == 0.5


def test_hires_cam_of_a_linear_head_is_its_evidence_within_the_mask() -> None:
    features, logits, mask = linear_head()
    evidence = logits[0, 1].detach().relu() * mask
    found = saliency_of(features, logits, 1, mask, "hires-cam")
    torch.testing.assert_close(torch.tensor(found.heat), evidence / evidence.max())
    assert found.inside == pytest.approx(1)


def test_where_nothing_speaks_for_a_class_there_is_no_heat() -> None:
    features, _, mask = linear_head()
    logits = -features.sum(1, keepdim=True)
    found = saliency_of(features, logits, 0, mask)
    assert not found.heat.any()
    assert found.inside == 0


def test_grad_cam_agrees_with_finite_differences(segmentor: Any) -> None:
    import copy

    head = copy.deepcopy(segmentor.decode_head).double()
    shapes = [(32, 16, 24), (64, 8, 12), (128, 4, 6), (256, 2, 3)]
    torch.manual_seed(1)
    features = [torch.rand(1, *shape, dtype=torch.float64) for shape in shapes]
    features[2].requires_grad_()
    logits = head(tuple(features))
    class_id = int(logits.argmax(1).flatten()[0])
    mask = logits.argmax(1)[0] == class_id
    found = saliency_of(features[2], logits, class_id, mask)

    step, slopes = 1e-6, []
    with torch.no_grad():
        for channel in range(128):  # a whole channel raised: the sum of its gradients, and so its weight but for 1/Z
            scores = []
            for sign in (1, -1):
                raised = features[2].clone()
                raised[0, channel] += sign * step
                scores.append(head((*features[:2], raised, features[3]))[0, class_id][mask].sum())
            slopes.append((scores[0] - scores[1]) / (2 * step))
        heat = (torch.stack(slopes)[:, None, None] * features[2][0]).sum(0).relu()
    assert heat.any()
    np.testing.assert_allclose(found.heat, heat / heat.max(), atol=1e-4)
