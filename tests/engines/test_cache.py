# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest

from perception.engines.cache import MAX_FILES, compiled_cache


def test_the_newest_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = compiled_cache()
    assert folder == tmp_path / "multimodal_perception" / "compiled"
    for number in range(MAX_FILES + 3):
        (folder / f"{number}.blob").touch()
        os.utime(folder / f"{number}.blob", (number, number))
    assert compiled_cache() == folder
    assert {path.name for path in folder.iterdir()} == {f"{number}.blob" for number in range(3, MAX_FILES + 3)}


def test_without_the_variable_it_is_in_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert compiled_cache() == tmp_path / ".cache" / "multimodal_perception" / "compiled"


def test_where_none_can_be_made_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert compiled_cache() is None
