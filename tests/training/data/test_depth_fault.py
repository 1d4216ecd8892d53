# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("torch")

from perception.frame import Frame
from perception.training.data.depth_fault import DepthFault, DepthFaults


def frame() -> Frame:
    depth = np.tile(np.linspace(60, 4, 120, dtype=np.float32)[:, None], (1, 160))
    depth[:20] = np.nan
    return Frame(0, depth=depth)


def test_depth_stays_depth_whatever_goes_wrong() -> None:
    whole = frame()
    before = whole.depth.copy()
    changed = 0
    for seed in range(60):
        depth = DepthFault(seed).apply(whole).depth
        assert depth.shape == (120, 160)
        assert depth.dtype == np.float32
        measured = depth[np.isfinite(depth)]
        assert (measured > 0).all()
        assert (measured < 500).all()
        changed += not np.array_equal(depth, before, equal_nan=True)
    assert changed > 40
    np.testing.assert_array_equal(whole.depth, before)


def test_one_seed_is_one_fault() -> None:
    np.testing.assert_array_equal(DepthFault(7).apply(frame()).depth, DepthFault(7).apply(frame()).depth)


def test_as_often_as_asked_for() -> None:
    rng = np.random.default_rng(0)
    assert 0.2 < np.mean([DepthFaults(0.3).draw(rng) is not None for _ in range(500)]) < 0.4
    assert DepthFaults().draw(rng) is None
    camera = Frame(0, np.zeros((4, 4, 3), np.uint8))
    assert DepthFault(1).apply(camera) is camera
