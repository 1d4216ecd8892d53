# SPDX-License-Identifier: Apache-2.0
"""Which crops a process takes of the one stream that all of them draw from."""

from __future__ import annotations

from collections.abc import Iterator

from torch.utils.data import Sampler


class Shard(Sampler[int]):
    """The numbers of the crops of process `rank` of `processes`: rank, rank + processes, and so on below `length`.

    So a step in which each process takes B / processes crops takes the B crops that one process would, and a run goes
    on at the same crop with any other number of processes.
    """

    def __init__(self, length: int, rank: int = 0, processes: int = 1) -> None:
        self.length, self.rank, self.processes = length, rank, processes
        self.skipped = 0

    def skip(self, count: int) -> None:
        """Begin after `count` of this process's crops: mmengine's loop asks for it in a resumed run."""
        self.skipped = count

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.skipped * self.processes + self.rank, self.length, self.processes))

    def __len__(self) -> int:
        return len(range(self.rank, self.length, self.processes))
