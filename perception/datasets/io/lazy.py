# SPDX-License-Identifier: Apache-2.0
"""A sequence whose items are read from disk each time they are asked for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class LazySequence(Sequence[T]):
    """Turns `read(index)` and `__len__` into a whole Sequence: negative indices, slices, iteration."""

    @abstractmethod
    def read(self, index: int) -> T:
        """The item at `index`, with 0 ≤ index < len(self)."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self.read(i) for i in range(*index.indices(len(self)))]
        position = index + len(self) if index < 0 else index
        if not 0 <= position < len(self):
            raise IndexError(f"index {index} outside a sequence of {len(self)}")
        return self.read(position)
