# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import small
from helpers.training.compared import as_json, row, write_data, write_networks

from perception.comparing.budget import Budget
from perception.comparing.training import Alike, check_alike, is_done, planned, read_alike, trained, training_of
from perception.disk import write_json
from perception.errors import ModelError


def alike(folder: Path, budget: Budget) -> Alike:
    name, _, root = write_data(folder)[0].partition("=")
    return Alike(budget, "small", small(), [(name, Path(root))], workers=0)


def test_a_budget_of_time_is_turned_into_iterations_that_a_resumed_run_keeps(tmp_path: Path) -> None:
    network, folder = write_networks(tmp_path)[0], tmp_path / "lone"
    given = alike(tmp_path, Budget(seconds=0.2))
    said: list[str] = []
    found = trained("lone", read_alike(network), given, folder, said.append)
    assert found.seconds_per_step is not None
    assert found.iterations == max(1, round(0.2 / found.seconds_per_step))
    assert (found.budget, found.optimizer, found.learning_rate) == ("0.2s", "Adam", 0.01)
    assert said[0] == "lone: measuring the seconds of a step"
    assert is_done(folder)
    assert not (folder / "last.pt").exists()

    write_json(folder / "run.json", {**as_json(folder / "run.json"), "iterations": 2, "done": False})
    assert not is_done(folder)
    with pytest.raises(ModelError, match="no network that is trained to the end; train it with --train BUDGET"):
        training_of(folder)
    again: list[str] = []
    assert trained("lone", read_alike(network), given, folder, again.append).iterations == 2
    assert said[0] not in again
    done: list[str] = []
    trained("lone", read_alike(network), given, folder, done.append)
    assert done == ["lone: trained already, 2 iterations"]

    network.write_text(network.read_text().replace("learning_rate=0.01", "learning_rate=0.02"))
    with pytest.raises(ModelError, match=r"trained otherwise: learning_rate was 0\.01, is 0\.02; .*recipe_sha256"):
        trained("lone", read_alike(network), given, folder, done.append)


def test_what_is_not_trained_alike_is_not_compared(tmp_path: Path) -> None:
    one = row().training
    assert one is not None
    check_alike({"a": one, "b": replace(one, learning_rate=1.0, iterations=7, optimizer="Adam")})
    with pytest.raises(ModelError, match="b and a are not trained alike: seed 1 and 0"):
        check_alike({"a": one, "b": replace(one, seed=1)})
    network = write_networks(tmp_path)[0]
    plan = planned(read_alike(network), alike(tmp_path, Budget(iterations=9)))
    check_alike({"a": replace(one, recipe="small"), "b": plan})
    with pytest.raises(ModelError, match=r"b and a are not trained alike: resolution 0\.5 and 1\.0"):
        check_alike({"a": one, "b": replace(one, resolution=0.5)})


def test_weights_to_begin_with_and_classes_of_ones_own_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"begins with weights \(dual_branch_s\), which fit one network"):
        Alike(Budget(iterations=1), "finetune", small(init="dual_branch_s"), [])
    network = write_networks(tmp_path)[0]
    own = 'classes = [dict(name="cone", colour=(255, 128, 0), takes=dict(camvid=(2,)))]\n'
    network.write_text(
        network.read_text()
        .replace("num_classes=4", "num_classes=5")
        .replace(", class_weight=(1.0,) * 4", ", class_weight=(1.0,) * 5")
        + own
    )
    with pytest.raises(ModelError, match="has classes of its own; compare scores background, road, vehicle"):
        read_alike(network)
