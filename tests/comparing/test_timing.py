# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")

from perception.comparing import timing


def test_all_are_timed_beside_the_reference(
    tiny_model: Path, tiny_camera_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "ROUNDS", 3)
    told: list[int] = []
    found = timing.timed({timing.REFERENCE: tiny_camera_model, "dual": tiny_model}, 1, (64, 96), lambda: told.append(1))
    assert found[timing.REFERENCE].ratio == 1
    assert found["dual"].ratio > 0
    assert found["dual"].run == found[timing.REFERENCE].run
    assert (found["dual"].rounds, found["dual"].threads, len(told)) == (3, 1, 6)


def test_the_size_at_a_part_of_the_resolution() -> None:
    assert timing.size_at(1.0) == (384, 1248)
    assert timing.size_at(0.5) == (192, 640)
