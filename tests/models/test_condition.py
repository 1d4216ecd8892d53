# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.models import Batch, ConditionToken  # noqa: E402
from perception.models.dual_branch import glance_of, normalise  # noqa: E402

SPLITS = (3, 3, 4)


def batch(brightness: float) -> Batch:
    torch.manual_seed(0)
    rgb = (torch.rand(1, 3, 64, 96) * 255 * brightness).clamp(0, 255)
    aux = torch.randint(0, 256, (1, 10, 32, 48)).float()
    aux[:, [2, 5, 9]] = 255
    return glance_of(normalise(Batch(rgb, aux, torch.ones(1, 4))))


def token(**options: float) -> ConditionToken:
    torch.manual_seed(0)
    return ConditionToken(SPLITS, stages=4, **options).eval()


def test_before_it_has_learnt_it_leans_to_the_camera_alone() -> None:
    lean, gains = token(favour=0.5)(batch(1.0))
    assert lean.tolist() == [[0.5] * 4]
    assert gains.tolist() == [[0.0] * 3]


def test_darkness_glare_and_coverage_are_measured() -> None:
    dark, usual, bright = (token().measure(batch(each))[0] for each in (0.03, 1.0, 20.0))
    assert dark[0] < 0.05 < usual[0] < bright[0]  # brightness
    assert dark[2] > 0.5 > usual[2]  # darkness
    assert bright[3] > 0.5 > usual[3]  # glare
    half = batch(1.0)
    half.aux[:, 9, :, ::2] = 0  # no echo in every second column of those that are looked at
    assert token().measure(half)[0, 6 + 8] == pytest.approx(0.5, abs=0.01)


def test_an_absent_sensor_measures_nothing() -> None:
    alone = batch(1.0)._replace(present=torch.tensor([[1.0, 0, 0, 0]]))
    measures = token().measure(alone)[0]
    assert measures[:6].any()
    assert not measures[6:].any()
    assert torch.isfinite(measures).all()


def test_agreement_is_high_where_outlines_are_the_same() -> None:
    scene = torch.zeros(1, 1, 64, 96)
    scene[..., 16:48, 24:72] = 200
    aux = torch.zeros(1, 10, 32, 48)
    aux[:, 2] = 255
    same, other = aux.clone(), aux.clone()
    same[:, 0] = scene[0, 0, ::2, ::2]
    other[:, 0] = scene[0, 0, ::2, ::2].roll(12, 1)
    agreements = [
        token().measure(glance_of(normalise(Batch(scene.expand(1, 3, -1, -1), each, torch.ones(1, 4)))))[0, 9].item()
        for each in (same, other)
    ]
    assert agreements[0] > 0.5 > agreements[1]
