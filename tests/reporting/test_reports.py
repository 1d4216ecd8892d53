# SPDX-License-Identifier: Apache-2.0
"""The reports of commands: every one says what it is, and the document has their keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pytest
from helpers.fleet import write_labelled

from perception.cli.main import command_names, main, make_parser
from perception.reporting import reports
from perception.reporting.reports import INLINE, OPTIONAL, VERSIONS, content, plain, write_report

ELSEWHERE = {"bench", "compare", "demo", "export", "export-check", "replay"}
"""Commands that take long or need a process of their own: their own tests look at the schema."""


class Pair(NamedTuple):
    left: int
    right: float


@dataclass(frozen=True)
class Inner:
    pair: Pair
    seen: tuple[str, ...] | None = field(default=None, metadata=OPTIONAL)


@dataclass(frozen=True)
class Outer:
    name: str | None
    inner: Inner = field(metadata=INLINE)
    absent: Inner | None = field(default=None, metadata=INLINE)
    rows: dict[str, list[Inner]] = field(default_factory=dict)


def test_dataclasses_become_keys() -> None:
    outer = Outer(None, Inner(Pair(1, float("nan")), ("a",)), rows={"x": [Inner(Pair(2, 0.5))]})
    assert plain(outer) == {
        "name": None,
        "pair": {"left": 1, "right": None},
        "seen": ["a"],
        "rows": {"x": [{"pair": {"left": 2, "right": 0.5}}]},
    }
    assert list(content("eval", outer))[:2] == ["schema", "name"]
    assert content("eval", outer)["schema"] == "perception/eval-report/1"


def test_a_file_s_ending_chooses_its_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(reports.REPORTS._things, "names", lambda report: ",".join(report))
    inner = Inner(Pair(1, 2.0))
    for name in ("a.json", "b.names", "c.txt"):
        write_report(tmp_path / name, "eval", inner)
    assert (tmp_path / "b.names").read_text() == "schema,pair"
    assert (tmp_path / "a.json").read_text() == (tmp_path / "c.txt").read_text()


def test_every_command_with_json_has_a_schema() -> None:
    with_json = {name for name in command_names() if "--json" in make_parser(name)._option_string_actions}
    assert with_json == set(VERSIONS)


@pytest.fixture
def arguments(tmp_path: Path, kitti_drive: Path, camvid: Path, tiny_model: Path) -> Callable[[str], list[Any]]:
    """Of a command, so small that it takes a moment."""
    images = tmp_path / "images"
    images.mkdir()
    cv2.imwrite(str(images / "0.png"), np.full((48, 64, 3), 90, np.uint8))
    model = ["--model", tiny_model, "--threads", 1]
    return {
        "check": [kitti_drive, "--compare", 0, "--fail-on", "never"],
        "doctor": [],
        "eval": ["camvid", camvid, "--split", "train", "--limit", 1, *model],
        "explain": [images / "0.png", "-o", tmp_path / "why.png", *model],
        "kitti2bag": [kitti_drive, "-o", tmp_path / "bag"],
        "label": [images, "-o", tmp_path / "out", "--write", "masks", *model],
        "select": [write_labelled(tmp_path, "a", 1), "-o", tmp_path / "chosen"],
        "simulate": ["-o", tmp_path / "drive", "--frames", 1, "--scale", 0.02, "--workers", 1],
    }.__getitem__


@pytest.mark.parametrize("command", sorted(set(VERSIONS) - ELSEWHERE))
def test_every_report_says_what_it_is(
    command: str, arguments: Callable[[str], list[Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "report.json"
    code = main([command, *map(str, arguments(command)), "--json", str(report)])
    assert report.is_file(), capsys.readouterr().err
    assert code == 0 or command == "doctor"
    assert json.loads(report.read_text())["schema"] == f"perception/{command}-report/{VERSIONS[command]}"
