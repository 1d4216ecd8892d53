# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("mmseg")

from helpers.recipes import small
from helpers.training.compared import write_data

from perception.comparing.parts import STREETS, drive_of, held_out, other_seeds, trained_on
from perception.errors import DataError
from perception.training.recipe import Sampling


@pytest.fixture
def data(tmp_path: Path) -> list[tuple[str, Path]]:
    pairs = [item.partition("=") for item in write_data(tmp_path)]
    return [(name, Path(root)) for name, _, root in pairs]


def drives(root: Path, *seeds: int) -> Path:
    for seed in seeds:
        (root / str(seed)).mkdir(parents=True)
        (root / str(seed) / "drive.json").write_text(json.dumps({"seed": seed}))
    return root


def test_the_val_of_every_set_is_scored_real_ones_first(data: list[tuple[str, Path]], tmp_path: Path) -> None:
    given = [("simulated", drives(tmp_path / "drives", 0, 2)), *data]
    parts = held_out(given, small(), 1)
    assert [part.name for part in parts] == ["camvid", "kitti-frames", "roadscene", "simulated"]
    assert [part.real for part in parts] == [True, True, True, False]
    assert [(part.what, len(part.samples), part.chosen) for part in parts[:3]] == [
        ("val", 2, [0]), ("val", 2, [0]), ("val", 1, [0]),
    ]  # fmt: skip
    parts[1].read(lambda: None)
    assert [sample.name for sample in parts[1].frames] == ["drive/000008"]
    assert parts[3].what == "seeds 1, 3, 4, 5, 6, 7, 8, 9, 10, 11"
    assert [each[0] for each in trained_on(given, small())] == ["simulated", "camvid", "kitti-frames", "roadscene"]


def test_what_is_trained_on_as_a_whole_is_not_scored(data: list[tuple[str, Path]], tmp_path: Path) -> None:
    said: list[str] = []
    whole = {**small().sources, "camvid": Sampling(weight=1.0, scale=(1.0, 1.0), split="all")}
    parts = held_out([*data, ("folder", tmp_path)], replace(small(), sources=whole), 9, said.append)
    assert [part.name for part in parts] == ["kitti-frames", "roadscene"]
    assert said == [
        "camvid: trained on and not scored: the recipe takes its split all",
        "folder: trained on and not scored: it has no parts of its own",
    ]
    with pytest.raises(DataError, match="nothing is left to score on"):
        held_out([("folder", tmp_path)], small(), 9, said.append)


def test_what_the_recipe_does_not_know_is_only_scored(data: list[tuple[str, Path]]) -> None:
    alone = [("kitti-stereo", data[0][1]), *data[:1]]
    assert trained_on(alone, small()) == data[:1]
    with pytest.raises(DataError, match=r"knows none of kitti-stereo, only camvid"):
        trained_on(alone[:1], small())
    with pytest.raises(DataError, match=r"--data camvid=…: given twice"):
        trained_on([*data, data[0]], small())


def test_the_drive_is_of_consecutive_frames(data: list[tuple[str, Path]]) -> None:
    parts = held_out(data, small(), 1)
    drive = drive_of(parts, 1)
    assert drive is not None
    assert (drive.name, drive.chosen) == ("kitti-frames", [0, 1])
    assert drive_of(parts[:1], 9) is None


def test_streets_are_others_than_those_of_the_folder(tmp_path: Path) -> None:
    assert other_seeds(drives(tmp_path / "far", 20000)) == list(range(STREETS))
    (tmp_path / "far/20000/drive.json").write_text("{}")
    with pytest.raises(DataError, match=r"a drive\.json without its seed"):
        other_seeds(tmp_path / "far")
