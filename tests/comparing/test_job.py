# SPDX-License-Identifier: Apache-2.0
"""Whole runs are tested in tests/cli/compare."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.models.foreign import CITY, copying, describe
from helpers.networks import ZOO
from helpers.recipes import write_small
from helpers.training.compared import as_json, report, row, write_data, write_networks
from rich.console import Console

from perception.comparing import timing
from perception.comparing.budget import Budget
from perception.comparing.job import CompareOptions, rebuild, run_compare, zoo
from perception.comparing.report import write
from perception.errors import ModelError


def options(folder: Path, *names: Path, iterations: int = 1) -> CompareOptions:
    data = [item.partition("=") for item in write_data(folder)][:1]
    return CompareOptions(
        names=[str(name) for name in names],
        data=[(name, Path(root)) for name, _, root in data],
        output=folder / "out",
        train=Budget(iterations=iterations),
        recipe=str(write_small(folder / "small.py")),
        frames=1,
        workers=0,
        threads=1,
    )


def test_all_is_the_zoo_and_the_default() -> None:
    assert sorted(zoo()) == sorted([*ZOO, "dual_branch_s"])


def test_a_network_that_cannot_be_trained_is_left_out_and_the_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "ROUNDS", 1)
    monkeypatch.setattr(timing, "SIZE", (64, 96))
    lone, twin = write_networks(tmp_path)
    lone.write_text(lone.read_text().replace("learning_rate=0.01", "learning_rate=1e30"))
    found = run_compare(options(tmp_path, lone, twin, iterations=3), Console(quiet=True))
    assert list(found.networks) == ["twin"]
    assert found.left_out == {"lone": "diverged: its weights are not finite after 3 iterations"}
    assert as_json(tmp_path / "out/compare.json")["left_out"] == found.left_out


def test_the_steps_of_all_are_measured_before_the_first_is_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timing, "ROUNDS", 1)
    monkeypatch.setattr(timing, "SIZE", (64, 96))
    asked = replace(options(tmp_path, *write_networks(tmp_path)), train=Budget(seconds=0.1))
    said = io.StringIO()
    run_compare(asked, Console(file=said, width=200))
    lines = said.getvalue().splitlines()
    steps = [text.split(",")[0] for text in lines if "measuring" in text or text.startswith("training")]
    assert steps == [
        "lone: measuring the seconds of a step",
        "twin: measuring the seconds of a step",
        "training 1 of 2: lone",
        "training 2 of 2: twin",
    ]


def test_a_network_that_others_made_is_a_row_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("onnxruntime")
    monkeypatch.setattr(timing, "ROUNDS", 1)
    monkeypatch.setattr(timing, "SIZE", (64, 96))
    theirs = describe(copying(tmp_path / "model.onnx"), CITY)
    asked = replace(options(tmp_path), train=None, weights=[("theirs", theirs)], document=tmp_path / "zoo.md")
    (tmp_path / "zoo.md").write_text("<!-- zoo:begin -->\n<!-- zoo:end -->\n")
    found = run_compare(asked, Console(quiet=True)).networks["theirs"]
    assert (found.sensors, found.parameters, found.gmac, found.training) == (["rgb"], None, None, None)
    assert found.real is not None
    assert found.timing is not None
    assert "| `theirs` | – | – |" in (tmp_path / "zoo.md").read_text()
    again = run_compare(asked, Console(quiet=True)).networks["theirs"]
    assert again.weights_sha256 == found.weights_sha256
    (tmp_path / "model.yaml").write_text((tmp_path / "model.yaml").read_text() + "# changed\n")
    assert run_compare(asked, Console(quiet=True)).networks["theirs"].weights_sha256 != found.weights_sha256


def test_another_budget_is_refused_before_it_is_spent(tmp_path: Path) -> None:
    lone, _ = write_networks(tmp_path)
    (tmp_path / "out").mkdir()
    write(tmp_path / "out/compare.json", report(unet=row()))
    with pytest.raises(ModelError, match=r"lone and unet are not trained alike: budget 1it and 9it"):
        run_compare(options(tmp_path, lone), Console(quiet=True))
    assert not (tmp_path / "out/lone").exists()


def test_tables_and_plot_are_made_anew_from_the_report_alone(tmp_path: Path) -> None:
    write(tmp_path / "compare.json", report(unet=row()))
    found = rebuild(tmp_path / "compare.json", tmp_path / "new", None)
    assert found.pareto_front == ["unet"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"pareto.png", "compare.html"}


@pytest.mark.parametrize(("page", "figures"), [("zoo.md", "zoo/compare.json"), ("zoo-longer.md", "zoo/longer.json")])
def test_the_tables_of_the_document_are_made_of_the_figures_beside_it(tmp_path: Path, page: str, figures: str) -> None:
    docs = Path(__file__).resolve().parents[2] / "docs"
    copy = tmp_path / page
    copy.write_text((docs / page).read_text("utf-8"), "utf-8")
    rebuild(docs / figures, tmp_path / "out", copy)
    assert copy.read_text("utf-8") == (docs / page).read_text("utf-8")
