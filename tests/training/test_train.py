# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import small, write_small  # noqa: E402
from helpers.training.shards import narrow  # noqa: E402
from mmengine.config import Config  # noqa: E402

from perception.cli.main import main  # noqa: E402
from perception.engines.weights import load_weights  # noqa: E402
from perception.errors import DataError, ModelError  # noqa: E402
from perception.paths import config_path, weights_path  # noqa: E402
from perception.training.hooks import read_checkpoint  # noqa: E402
from perception.training.recipe import SoftLabels  # noqa: E402
from perception.training.train import Options, read_network, train  # noqa: E402


@pytest.fixture
def config() -> Config:
    return Config.fromfile(config_path("networks/dual_branch_s.py"))


def options(camvid: Path, **changes: object) -> Options:
    settings = dict(data=[("camvid", camvid)], work_dir=camvid.parent / "run", iterations=4, workers=0, save_interval=2)
    return Options(**{**settings, **changes})


def test_writes_weights_that_load_and_a_checkpoint_of_tensors_only(config: Config, camvid: Path) -> None:
    weights = train(config, small(), options(camvid), lambda _: None)
    state, model = load_weights(weights)
    assert model["backbone"]["type"] == "DualBranchEncoder"
    assert all(torch.isfinite(t).all() for t in state.values())
    assert read_checkpoint(camvid.parent / "run/last.pt")["iteration"] == 4


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    config: Config, camvid: Path, tmp_path: Path, stopped_at: Callable[[int], AbstractContextManager[None]]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(config, small(), options(camvid, work_dir=whole), lambda _: None)
    with stopped_at(4):
        train(config, small(), options(camvid, work_dir=broken), lambda _: None)
    train(config, small(), options(camvid, work_dir=broken, resume=True), lambda _: None)
    expected, got = (load_weights(run / "weights.safetensors")[0] for run in (whole, broken))
    for name, tensor in expected.items():
        torch.testing.assert_close(got[name], tensor, msg=name)


def test_a_run_that_differs_is_not_resumed(config: Config, camvid: Path) -> None:
    train(config, small(), options(camvid, iterations=1, save_interval=1), lambda _: None)
    again = dict(resume=True, iterations=2)
    with pytest.raises(ModelError, match="seed was 0, is 7; resume it with its own settings"):
        train(config, small(), options(camvid, seed=7, **again), lambda _: None)
    with pytest.raises(ModelError, match=r"learning_rate was 0.002, is 0.1;"):
        train(config, small(), options(camvid, learning_rate=0.1, **again), lambda _: None)
    other = small(weight_decay=0.5, soft=SoftLabels(weight=2.0))
    config.model.decode_head.width = 32
    said = "model.decode_head.width was 64, is 32; recipe.soft.weight was 1.0, is 2.0; recipe.weight_decay was 0.02, is"
    with pytest.raises(ModelError, match=said):
        train(config, other, options(camvid, **again), lambda _: None)


def test_a_restart_goes_on_from_the_checkpoint_of_its_own_run_only(
    config: Config, camvid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def said(run: str, restarts: int, iterations: int) -> list[str]:
        for name, value in dict(RANK="0", TORCHELASTIC_RUN_ID=run, TORCHELASTIC_RESTART_COUNT=str(restarts)).items():
            monkeypatch.setenv(name, value)
        lines: list[str] = []
        train(config, small(), options(camvid, iterations=iterations, save_interval=1), lines.append)
        return [line for line in lines if line.startswith("continues")]

    narrow(config)
    assert said("first", 0, 1) == []
    assert said("second", 1, 1) == []  # lost before its first checkpoint: what is there is not its own
    assert said("second", 1, 2) == ["continues after iteration 1"]
    assert said("second", 0, 1) == []


def test_a_run_of_before_recipes_were_files_is_not_resumed(config: Config, camvid: Path) -> None:
    train(config, small(), options(camvid, iterations=1, save_interval=1), lambda _: None)
    path = camvid.parent / "run/last.pt"
    checkpoint = read_checkpoint(path)
    checkpoint["described"] = {name.replace("recipe.", "training."): x for name, x in checkpoint["described"].items()}
    torch.save(checkpoint, path)
    with pytest.raises(ModelError, match="networks contained the recipe: continue with that version"):
        train(config, small(), options(camvid, resume=True, iterations=2), lambda _: None)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU trains")
def test_bfloat16_only_where_the_processor_computes_in_it(
    config: Config, camvid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx2": True})
    said: list[str] = []
    train(config, replace(small(), bf16=True), options(camvid, iterations=1), said.append)
    assert any(line.startswith("in float32") for line in said)


def test_mistakes_are_said_in_a_line(config: Config, camvid: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this recipe knows"):
        train(config, small(), options(camvid, data=[("mapillary", camvid)]), lambda _: None)
    with pytest.raises(ModelError, match="nothing to resume from"):
        train(config, small(), options(camvid, resume=True), lambda _: None)
    with pytest.raises(ModelError, match="no such config"):
        read_network(tmp_path / "none.py")
    (tmp_path / "empty.py").write_text("a = 1\n")
    with pytest.raises(ModelError, match="no model in this config"):
        read_network(tmp_path / "empty.py")
    (tmp_path / "both.py").write_text("model = dict()\ntraining = dict()\n")
    with pytest.raises(ModelError, match=r"`training` is not part of a network: .* give that with --recipe"):
        read_network(tmp_path / "both.py")
    (camvid.parent / "run" / "last.pt").write_bytes(b"junk")
    with pytest.raises(ModelError, match="not a checkpoint"):
        read_checkpoint(camvid.parent / "run" / "last.pt")


@pytest.mark.parametrize("name", ["iterations", "batch_size", "learning_rate"])
def test_none_is_no_default(config: Config, camvid: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=f"Recipe.{name}: expected more than 0, got 0"):
        train(config, small(), options(camvid, **{name: 0}), lambda _: None)
    with pytest.raises(SystemExit):
        main(["train", "dual_branch_s", "--data", f"camvid={camvid}", f"--{name.replace('_', '-')}", "0"])
    assert "positive" in (said := capsys.readouterr().err) or "at least 1" in said


def test_frozen_parameters_stay_while_others_learn(config: Config, camvid: Path, tmp_path: Path) -> None:
    begun = train(config, small(), options(camvid, iterations=1), lambda _: None)
    recipe = small(frozen=("backbone.rgb.",), frozen_statistics=True, weight_decay=0.5)
    ended = train(config, recipe, options(camvid, work_dir=tmp_path / "on", init=begun), lambda _: None)
    before, after = load_weights(begun)[0], load_weights(ended)[0]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "decode_head.conv_seg.weight" in changed
    assert not any(name.startswith("backbone.rgb.") for name in changed)
    recipe = replace(recipe, frozen=("backbone.camera.",))
    with pytest.raises(ModelError, match="no parameter whose name begins with"):
        train(config, recipe, options(camvid, work_dir=tmp_path / "odd", init=begun), lambda _: None)
    with pytest.raises(ModelError, match="give weights to start from with --init"):
        train(config, recipe, options(camvid, work_dir=tmp_path / "random"), lambda _: None)


def test_a_recipe_begins_with_its_own_weights_unless_told_others(config: Config, camvid: Path, tmp_path: Path) -> None:
    said: list[str] = []
    recipe, at = small("finetune"), lambda name: options(camvid, work_dir=tmp_path / name, iterations=1)
    begun = train(config, recipe, at("shipped"), said.append)
    train(config, recipe, replace(at("mine"), init=begun), said.append)
    assert [line for line in said if line.startswith("starts from")] == [
        f"starts from {weights_path('dual_branch_s.safetensors')}",
        f"starts from {begun}",
    ]


def test_a_recipe_file_trains_and_the_command_line_overrides_it(camvid: Path, tmp_path: Path) -> None:
    recipe = write_small(tmp_path / "mine.py")
    arguments = ["--recipe", str(recipe), "--data", f"camvid={camvid}", "--workers", "0", "--learning-rate", "0.01"]
    assert main(["train", "dual_branch_s", *arguments, "--iterations", "1", "-o", str(tmp_path / "run")]) == 0
    described = read_checkpoint(tmp_path / "run/last.pt")["described"]
    assert described["recipe.learning_rate"] == "0.01"
    assert described["recipe.batch_size"] == "2"


def test_former_names_run_with_a_word_or_say_what_they_are_called(
    camvid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rest = ["--data", f"camvid={camvid}", "-o", str(tmp_path / "run"), "--resume"]
    assert main(["train", "dual_branch_s_real", *rest]) == 2
    said = capsys.readouterr().err
    assert "dual_branch_s_real is called `dual_branch_s --recipe real` now" in said
    assert "nothing to resume from" in said  # it got as far as that
    assert main(["train", "dual_branch_s_rich", *rest]) == 2
    assert "dual_branch_s_rich: not a network any more: use `dual_branch_s --recipe real`" in capsys.readouterr().err
