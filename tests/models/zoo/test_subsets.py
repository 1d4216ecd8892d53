# SPDX-License-Identifier: Apache-2.0
"""The zoo's networks with two branches answer with whatever sensors there are."""

from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from helpers.networks import CAMERA_ALONE, DUAL, batch_of, build

from perception.models import Batch
from perception.models.aux_stem import sensors_in
from perception.models.dual_branch import normalise

KEPT = [(1, 1, 1, 1), (1, 0, 0, 0), (0, 1, 1, 1), (0, 0, 0, 1), (0, 0, 1, 0), (1, 0, 1, 0)]


@pytest.mark.parametrize("name", DUAL)
def test_weights_are_shared_among_the_present_sensors_and_absent_ones_are_not_seen(name: str) -> None:
    model = build(name).eval()
    data = batch_of(model, len(KEPT))
    present = torch.tensor(KEPT, dtype=torch.float32)
    batch = normalise(Batch(data["rgb"].float(), data["aux"].float(), present))
    with torch.inference_mode():
        features, weights = model.backbone.encode(batch)
        black = model.backbone.encode(batch._replace(rgb=batch.rgb * present[:, :1, None, None]))[0]
        logits = model.decode_head(features)
    assert ((weights > 0) == present.bool()).all()
    torch.testing.assert_close(weights.sum(1), torch.ones(len(KEPT)), atol=1e-4, rtol=0)
    assert torch.isfinite(logits).all()
    # Without a camera, what would be in its image makes no difference.
    for seen, unseen in zip(features, black, strict=True):
        torch.testing.assert_close(seen[2:5], unseen[2:5])


def test_one_of_the_camera_alone_has_one_sensor() -> None:
    for name in ("fast_scnn", "unet"):
        assert name in CAMERA_ALONE
        assert sensors_in(build(name)) == ("rgb",)
