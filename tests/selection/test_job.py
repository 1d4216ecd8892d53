# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from helpers.fleet import write_labelled
from rich.console import Console

from perception.errors import DataError
from perception.selection.job import SelectOptions, run_select
from perception.selection.report import SelectReport


@pytest.fixture
def fleet(tmp_path: Path) -> Path:
    """Three drives of six frames: one unsure frame, one that flickers, one with the only pedestrian."""
    write_labelled(tmp_path, "a", 6, unsure=[4])
    write_labelled(tmp_path, "b", 6, flickers=[2])
    write_labelled(tmp_path, "c", 6, walkers=[1], overturns={5: 0.1})
    return tmp_path


def select(root: Path, **options: Any) -> SelectReport:
    settings: dict[str, Any] = {"count": 3, "apart_s": 0.2} | options
    return run_select(SelectOptions(labelled=[root / "labels"], output=root / "out", **settings), Console(quiet=True))


def test_the_frames_with_something_are_chosen(fleet: Path) -> None:
    report = select(fleet)
    assert sorted((Path(each.input).name, each.frame) for each in report.chosen) == [
        ("a", "004"), ("b", "002"), ("c", "001"),
    ]  # fmt: skip
    assert [each.rank for each in report.chosen] == [1, 2, 3]
    assert (report.frames, report.drives, report.model) == (18, 3, "a_network")
    assert report.measured == {"sensors": 1, "points": 0, "confidence": 18, "rare": 18, "flicker": 12}
    assert report.notes == []
    out = fleet / "out"
    listed = json.loads((out / "select.json").read_text())
    assert [each["image"] for each in listed["chosen"]] == [each.image for each in report.chosen]
    assert sorted(path.stem for path in (out / "image").iterdir()) == sorted(each.image for each in report.chosen)
    assert (out / "cvat.zip").is_file()
    assert report.chosen[0].image in (out / "select.html").read_text()


def test_they_are_spread_over_the_drives_and_apart(fleet: Path) -> None:
    report = select(fleet, count=6, per_drive=2)
    assert Counter(Path(each.input).name for each in report.chosen) == {"a": 2, "b": 2, "c": 2}
    few = select_again(fleet, count=18, per_drive=18, apart_s=0.25)
    assert Counter(Path(each.input).name for each in few.chosen) == {"a": 2, "b": 2, "c": 2}
    assert few.notes[-1].startswith("6 frames instead of 18: ")


def select_again(fleet: Path, **options: Any) -> SelectReport:
    shutil.rmtree(fleet / "out")
    return select(fleet, **options)


def test_several_processes_choose_the_same(fleet: Path) -> None:
    one = [(each.image, each.score) for each in select(fleet).chosen]
    assert [(each.image, each.score) for each in select_again(fleet, workers=2).chosen] == one


def test_a_recording_that_is_gone_is_left_out_with_a_word(fleet: Path) -> None:
    shutil.rmtree(fleet / "drives/b")
    report = select(fleet)
    assert "b" not in {Path(each.input).name for each in report.chosen}
    assert len(report.chosen) == 3
    assert list(report.left_out) == [str(fleet / "drives/b")]
    assert any(line.startswith(f"{fleet / 'drives/b'} left out: ") for line in report.notes)
    shutil.rmtree(fleet / "drives")
    with pytest.raises(DataError, match="drives"):
        select_again(fleet)


def test_labels_that_are_broken_leave_the_others_alone(fleet: Path) -> None:
    (fleet / "labels/a/labels/003.png").write_bytes(b"no image")
    (fleet / "labels/c/label.json").write_text("{")
    (fleet / "labels/b/confidence/002.png").unlink()  # `label` was interrupted
    report = select(fleet, count=2)
    assert {Path(each.input).name for each in report.chosen} == {"b"}
    assert [Path(folder).name for folder in report.left_out] == ["a", "c"]
    assert "003.png" in report.left_out[str(fleet / "labels/a")]
    assert report.notes[0].endswith("(and 1 more: select.json lists them)")
    assert report.measured["confidence"] == 5


def test_what_was_not_written_is_named_with_the_number_of_recordings(fleet: Path) -> None:
    write_labelled(fleet, "d", 6, confidence=False)
    assert select(fleet).notes == [
        "confidence was not written: label with --write masks confidence (1 of 4 recordings)"
    ]


def test_what_cannot_be_is_refused(fleet: Path) -> None:
    (fleet / "out").mkdir()
    (fleet / "out/mine").touch()
    with pytest.raises(DataError, match="not empty; name a new folder"):
        select(fleet)
    shutil.rmtree(fleet / "out")
    path = fleet / "labels/b/label.json"
    path.write_text(path.read_text().replace('"pedestrian"', '"pedestrian", "rail"'))
    with pytest.raises(DataError, match=r"pedestrian, rail, but those of .* choose from them one by one"):
        select(fleet)
    for record in (fleet / "labels").rglob("frames/*.json"):
        record.unlink()
    path.write_text(path.read_text().replace(', "rail"', ""))
    with pytest.raises(DataError, match="no frame of these folders is labelled yet"):
        select(fleet)
