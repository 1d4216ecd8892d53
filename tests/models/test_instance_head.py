# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.instances import THINGS, group
from perception.models.deploy import DeployGraph
from perception.models.instance_head import InstanceHead, has_instances, instance_head_of
from perception.paths import config_path
from perception.training.data.instance_targets import instance_targets

CHANNELS = (8, 12, 16, 20)


def _features(batch: int = 1) -> list[torch.Tensor]:
    torch.manual_seed(0)
    sizes = ((24, 48), (12, 24), (6, 12), (3, 6))
    return [torch.randn(batch, c, *size) for c, size in zip(CHANNELS, sizes, strict=True)]


def _scene() -> tuple[np.ndarray, np.ndarray]:
    """Two vehicles that touch, and a pedestrian before one of them, 96 × 192 pixels."""
    labels, instances = np.full((96, 192), ROAD, np.uint8), np.zeros((96, 192), np.uint16)
    labels[24:72, 16:144], labels[32:76, 100:116] = VEHICLE, PEDESTRIAN
    instances[24:72, 16:80], instances[24:72, 80:144], instances[32:76, 100:116] = 2001, 2002, 3001
    return labels, instances


def test_it_ends_at_a_quarter_of_the_image_and_begins_without_centres() -> None:
    head = InstanceHead(CHANNELS, 16)
    head.init_weights()
    found = head.found(_features(2))
    assert found.shape == (2, len(THINGS) + 2, 24, 48)
    assert 0 <= found[:, :2].min() <= found[:, :2].max() < 0.25
    assert found[:, 2:].abs().max() < 32


def test_the_losses_fall_on_one_scene_until_its_things_are_told_apart() -> None:
    labels, instances = _scene()
    targets = torch.from_numpy(instance_targets(instances, labels))[None]
    head, features = InstanceHead(CHANNELS, 24), _features()
    head.init_weights()
    optimiser = torch.optim.Adam(head.parameters(), 3e-3)
    losses = []
    for _ in range(150):
        loss = sum(head.losses(features, targets).values())
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(float(loss.detach()))
    assert losses[-1] < 0.1 * losses[0]
    with torch.no_grad():
        grouped = group(labels, head.found(features)[0].numpy())
    for code in (2001, 2002, 3001):
        own, counts = np.unique(grouped[instances == code], return_counts=True)
        assert counts.max() > 0.9 * counts.sum()
        assert own[counts.argmax()] // 1000 == code // 1000
    assert len(np.unique(grouped)) == 4


def test_where_nothing_is_known_nothing_is_learnt_and_gradients_are_zero() -> None:
    head = InstanceHead(CHANNELS, 16)
    losses = head.losses(_features(), torch.zeros(1, len(THINGS) + 4, 24, 48))
    total = sum(losses.values())
    total.backward()
    assert float(total.detach()) == 0
    assert all(float(parameter.grad.abs().sum()) == 0 for parameter in head.parameters())


def test_a_network_says_whether_it_has_one_and_its_graph_gives_one_result_more() -> None:
    init_default_scope("mmseg")
    plain, with_head = (
        Config.fromfile(config_path(f"networks/{name}.py")).model.to_dict()
        for name in ("dual_branch_s", "dual_branch_s_instances")
    )
    assert (has_instances(plain), has_instances(with_head)) == (False, True)
    inputs = (
        torch.randint(0, 256, (1, 64, 96, 3), dtype=torch.uint8),
        torch.randint(0, 256, (1, 32, 48, 10), dtype=torch.uint8),
        torch.ones(1, 4),
    )
    torch.manual_seed(0)
    segmentor = MODELS.build(with_head).eval()
    bare = MODELS.build(plain).eval()
    bare.load_state_dict({name: value for name, value in segmentor.state_dict().items() if "auxiliary" not in name})
    assert instance_head_of(bare) is None
    with torch.inference_mode():
        *same, found = DeployGraph(segmentor)(*inputs)
        expected = DeployGraph(bare)(*inputs)
    assert len(expected) == 3
    for one, other in zip(same, expected, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)
    assert found.shape == (1, len(THINGS) + 2, 16, 24)
    assert found.dtype == torch.float32
