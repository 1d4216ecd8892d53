# SPDX-License-Identifier: Apache-2.0
"""Rates that are kept between starts."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception.engines.cache import MAX_KEPT
from perception.runtime.rates import Rates


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "compiled").mkdir()
    return tmp_path / "compiled"


def test_a_rate_is_known_at_the_next_start(folder: Path) -> None:
    assert Rates(folder).known("/front image") is None
    Rates(folder).add("/front image", 20.0)
    Rates(folder).add("/rear image", 12.5)
    assert Rates(folder).known("/front image") == 20.0
    assert Rates(folder).known("/rear image") == 12.5


def test_one_that_hardly_differs_is_not_written_again(folder: Path) -> None:
    rates, file = Rates(folder), folder.parent / "rates.json"
    rates.add("camera", 10.0)
    before = file.stat().st_mtime_ns
    rates.add("camera", 10.4)
    assert (rates.known("camera"), file.stat().st_mtime_ns) == (10.0, before)
    rates.add("camera", 15.0)
    assert rates.known("camera") == 15.0


@pytest.mark.parametrize("content", ["", "[]", '{"camera": "fast"}', '{"camera": -1.0}', '{"camera": null}'])
def test_a_file_that_is_broken_tells_nothing(folder: Path, content: str) -> None:
    (folder.parent / "rates.json").write_text(content)
    assert Rates(folder).known("camera") is None
    Rates(folder).add("camera", 10.0)
    assert Rates(folder).known("camera") == 10.0


def test_the_oldest_go_first(folder: Path) -> None:
    rates = Rates(folder)
    for number in range(MAX_KEPT + 1):
        rates.add(f"camera {number}", 10.0)
    assert rates.known("camera 0") is None
    assert rates.known("camera 1") == 10.0


def test_without_a_cache_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perception.engines.cache.compiled_cache", lambda: None)
    Rates().add("camera", 10.0)
    assert Rates().known("camera") is None
