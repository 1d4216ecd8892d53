# SPDX-License-Identifier: Apache-2.0
"""Rerun's files, read back."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import rerun as rr

from perception.viewing.layout import STAMP


def columns(path: Path) -> dict[str, set[str]]:
    """The columns of each entity: components as Archetype:name, and timelines."""
    found: dict[str, set[str]] = defaultdict(set)
    for chunk in rr.chunk.RrdReader(str(path)).stream():
        found[chunk.entity_path] |= set(chunk.to_record_batch().schema.names)
    return found


def rows(path: Path, entity: str, column: str) -> list[Any]:
    """What was logged in one column of an entity, in the order of frames; stamps in ns.

    A component that holds one thing is that thing.
    """
    found = []
    for chunk in rr.chunk.RrdReader(str(path)).stream():
        if chunk.entity_path != entity:
            continue
        batch = chunk.to_record_batch()
        if column in batch.schema.names:
            frames = batch.column("frame").to_pylist() if "frame" in batch.schema.names else [0] * batch.num_rows
            cells = batch.column(column)
            if column == STAMP:
                cells = cells.cast("int64")
            found += [pair for pair in zip(frames, cells.to_pylist(), strict=True) if pair[1] is not None]
    values = [value for _, value in sorted(found, key=lambda pair: pair[0])]
    return [value[0] if isinstance(value, list) and len(value) == 1 else value for value in values]
