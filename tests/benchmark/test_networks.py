# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.benchmark import networks
from perception.benchmark.networks import OURS, OURS_RGB, REFERENCE, camera_alone, compare
from perception.frame import Frame
from perception.sensors import NetworkInput, encode


@pytest.fixture
def network_input() -> NetworkInput:
    rng = np.random.default_rng(0)
    frame = Frame(0, rng.integers(0, 256, (64, 96, 3)).astype(np.uint8), np.full((64, 96), 9, np.float32))
    return encode(frame, 96, 64)


def test_the_camera_alone_keeps_its_image_and_nothing_else(network_input: NetworkInput) -> None:
    found = camera_alone(network_input)
    np.testing.assert_array_equal(found.rgb, network_input.rgb)
    assert found.present.tolist() == [1, 0, 0, 0]
    assert not found.aux.any()
    assert network_input.present.tolist() == [1, 1, 0, 0]
    assert network_input.aux.any()


def test_every_network_is_compared_with_the_reference(
    tiny_model: Path, network_input: NetworkInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(networks, "SETTLE_S", 0.0)
    told: list[int] = []
    peers = {REFERENCE: tiny_model, "other": tiny_model}
    found = compare(tiny_model, peers, network_input, 1, None, 5, lambda: told.append(1))
    assert list(found) == [OURS, OURS_RGB, REFERENCE, "other"]
    assert found[REFERENCE]["ratio"] == 1
    assert all(each["n"] == 5 and each["median"] > 0 for each in found.values())
    assert len(told) == 4 * 5
    smaller = encode(Frame(0, np.zeros((32, 64, 3), np.uint8)), 64, 32)
    assert (
        compare(tiny_model, {REFERENCE: tiny_model}, network_input, 1, None, 20, own_input=smaller)[OURS]["ratio"] < 1
    )
    alone = compare(tiny_model, {}, network_input, 1, None, 2)
    assert [each["ratio"] for each in alone.values()] == [None, None]
