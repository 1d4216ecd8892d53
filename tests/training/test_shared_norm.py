# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.training.shards import by_one, by_two  # noqa: E402
from torch import nn  # noqa: E402

from perception.training.shared_norm import SharedBatchNorm, share_statistics  # noqa: E402


def test_statistics_and_gradients_are_those_of_the_whole_batch() -> None:
    whole, parts = by_one()["norm"], [each["norm"] for each in by_two()]
    for name in ("input", "weight", "bias"):  # each process has the gradients by its own rows
        np.testing.assert_allclose(sum(part[name] for part in parts), whole[name], rtol=1e-4, atol=1e-5)
    for part in parts:
        np.testing.assert_allclose(part["mean"], whole["mean"], rtol=1e-6)
        np.testing.assert_allclose(part["variance"], whole["variance"], rtol=1e-5)
        np.testing.assert_allclose(part["eval"], whole["eval"], rtol=1e-4, atol=1e-4)
        assert part["batches"] == whole["batches"] == 3


def test_bfloat16_stays_bfloat16_and_is_normalised_in_float32() -> None:
    (kind, whole), parts = by_one()["norm"]["half"], [each["norm"]["half"] for each in by_two()]
    assert {kind} == {part[0] for part in parts} == {"torch.bfloat16"}
    np.testing.assert_allclose(np.concatenate([part[1] for part in parts]), whole, atol=0.02)


def test_every_kind_is_replaced_and_keeps_its_state() -> None:
    norm = nn.BatchNorm2d(4, eps=0.1)
    nn.init.uniform_(norm.weight)
    model = nn.Sequential(nn.Sequential(norm, nn.ReLU()), nn.SyncBatchNorm(3), nn.BatchNorm1d(2))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    share_statistics(model)
    shared = [module for module in model.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert [type(module) for module in shared] == [SharedBatchNorm] * 3
    assert [module.eps for module in shared] == [0.1, 1e-5, 1e-5]
    after = model.state_dict()
    assert list(after) == list(before)
    assert all(torch.equal(after[name], tensor) for name, tensor in before.items())
    assert shared[2](torch.rand(5, 2)).shape == (5, 2)
