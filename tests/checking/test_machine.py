# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.checking import machine
from perception.checking.machine import BROKEN, DATA, MISSING, OK
from perception.engines import manifest


def test_a_machine_has_enough_at_the_least_and_the_rest_is_told_with_its_need() -> None:
    enough = machine._enough("machine", "cores", 2, 2, "2 for this process", "a camera")
    little = machine._enough("machine", "cores", 1, 2, "1 for this process", "a camera")
    assert (enough.state, enough.need) == (OK, "")
    assert (little.state, little.need) == (MISSING, "a camera: 2")


def test_a_library_is_there_missing_or_broken() -> None:
    there = machine._library("extras", "json", "json", lambda library: library.__name__, "nothing")
    assert there.state == OK
    assert there.what.endswith("json")
    missing = machine._library("extras", "x", "no_such_module", lambda _: "", "all of it")
    assert (missing.state, missing.need) == (MISSING, "all of it")
    needed = machine._library("extras", "x", "no_such_module", lambda _: "", "all of it", required=True)
    assert needed.state == BROKEN
    sick = machine._library("extras", "json", "json", lambda library: str(library.nothing), "all of it")
    assert sick.state == BROKEN
    assert "AttributeError" in sick.what


def test_weights_are_held_against_their_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("good.bin", "changed.bin", "gone.bin"):
        (tmp_path / name).write_text(name)
    manifest.record(tmp_path, sorted(tmp_path.iterdir()))
    (tmp_path / "changed.bin").write_text("other")
    (tmp_path / "gone.bin").unlink()
    monkeypatch.setattr(machine, "WEIGHTS", tmp_path)
    found = {each.name: each.state for each in machine._weights() if each.name != "configs"}
    assert found == {"good.bin": OK, "changed.bin": BROKEN, "gone.bin": BROKEN}


def test_a_folder_of_data_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "kitti").mkdir()
    monkeypatch.setenv(DATA, str(tmp_path))
    (found,) = machine._data()
    assert (found.state, found.what) == (OK, f"{tmp_path}: kitti")
    monkeypatch.setenv(DATA, str(tmp_path / "nowhere"))
    (found,) = machine._data()
    assert found.state == BROKEN
