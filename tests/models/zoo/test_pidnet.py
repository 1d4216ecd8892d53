# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest
import torch

pytest.importorskip("mmseg")

from mmseg.models import PIDHead, PIDNet

from perception.models.zoo.pidnet import PIDBranchesHead, PIDNetBranches

LOSS = dict(type="WeightedCrossEntropy", class_weight=(1, 1, 1, 1))
SIZES = dict(channels=8, ppm_channels=8, num_stem_blocks=2, num_branch_blocks=3)


def test_outside_of_training_the_answer_is_mmsegs() -> None:
    torch.manual_seed(0)
    net, branches = PIDNet(**SIZES).eval(), PIDNetBranches(**SIZES).eval()
    branches.load_state_dict(net.state_dict())
    image = torch.randn(1, 3, 64, 96)
    with torch.no_grad():
        features, expected = branches(image), net(image)
    assert [tuple(f.shape[1:]) for f in features] == [(16, 8, 12), (32, 8, 12), (16, 8, 12)]
    torch.testing.assert_close(features[1], expected)
    assert not branches.training
    heads = [kind(32, 16, num_classes=4, loss_decode=[LOSS] * 4).eval() for kind in (PIDHead, PIDBranchesHead)]
    heads[1].load_state_dict(heads[0].state_dict())
    with torch.no_grad():
        torch.testing.assert_close(heads[1](features), heads[0](expected))
