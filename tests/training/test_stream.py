# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

pytest.importorskip("torch")

from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from perception.training.stream import Shard


def batches(length: int, batch: int, processes: int, skipped: int = 0) -> list[list[int]]:
    """What each step sees: the crops of all processes, in their order."""
    loaders: list[DataLoader[int]] = []
    for rank in range(processes):
        shard = Shard(length, rank, processes)
        if skipped:
            shard.skip(skipped * batch // processes)  # as mmengine's loop does: steps × the process's own batch
        loaders.append(DataLoader(range(length), batch // processes, sampler=shard))
    return [sorted(int(crop) for part in parts for crop in part) for parts in zip(*loaders, strict=True)]


@given(st.integers(1, 6), st.integers(1, 4), st.integers(1, 12), st.integers(1, 6), st.integers(0, 12))
def test_any_number_of_processes_sees_the_crops_of_one_in_every_step(
    processes: int, each: int, steps: int, then: int, stopped: int
) -> None:
    batch = processes * then * each
    one = batches(steps * batch, batch, 1)
    assert one == [list(range(step * batch, (step + 1) * batch)) for step in range(steps)]
    stopped = min(stopped, steps - 1)
    begun = batches(steps * batch, batch, processes)[:stopped]
    assert begun + batches(steps * batch, batch, then, stopped) == one


def test_its_length_is_the_number_of_its_crops() -> None:
    assert [len(Shard(7, rank, 3)) for rank in range(3)] == [3, 2, 2]
