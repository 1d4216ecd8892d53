# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from mmengine.config import Config  # noqa: E402

from perception.cli.main import main  # noqa: E402
from perception.engines.weights import load_weights  # noqa: E402
from perception.errors import DataError, ModelError  # noqa: E402
from perception.paths import config_path  # noqa: E402
from perception.training.bf16 import computes_in_bf16  # noqa: E402
from perception.training.hooks import read_checkpoint  # noqa: E402
from perception.training.train import Options, read_config, train  # noqa: E402


@pytest.fixture
def config() -> Config:
    """The shipped recipe on small crops, deterministic in single precision."""
    config = Config.fromfile(config_path("models/dual_branch_s.py"))
    config.training.update(crop=(64, 64), batch_size=2, bf16=False)
    return config


def options(camvid: Path, **changes: object) -> Options:
    settings = dict(data=[("camvid", camvid)], work_dir=camvid.parent / "run", iterations=4, workers=0, save_interval=2)
    return Options(**{**settings, **changes})


def test_writes_weights_that_load_and_a_checkpoint_of_tensors_only(config: Config, camvid: Path) -> None:
    weights = train(config, options(camvid), lambda _: None)
    state, model = load_weights(weights)
    assert model["backbone"]["type"] == "DualBranchEncoder"
    assert all(torch.isfinite(t).all() for t in state.values())
    assert read_checkpoint(camvid.parent / "run/last.pt")["iteration"] == 4


def test_a_resumed_run_ends_where_an_unbroken_one_does(
    config: Config, camvid: Path, tmp_path: Path, stopped_at: Callable[[int], AbstractContextManager[None]]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(config, options(camvid, work_dir=whole), lambda _: None)
    with stopped_at(4):
        train(config, options(camvid, work_dir=broken), lambda _: None)
    train(config, options(camvid, work_dir=broken, resume=True), lambda _: None)
    expected, got = (load_weights(run / "weights.safetensors")[0] for run in (whole, broken))
    for name, tensor in expected.items():
        torch.testing.assert_close(got[name], tensor, msg=name)


def test_a_run_that_differs_is_not_resumed(config: Config, camvid: Path) -> None:
    train(config, options(camvid, iterations=1, save_interval=1), lambda _: None)
    again = dict(resume=True, iterations=2)
    with pytest.raises(ModelError, match="seed was 0, is 7; resume it as it began"):
        train(config, options(camvid, seed=7, **again), lambda _: None)
    with pytest.raises(ModelError, match=r"learning_rate was 0.002, is 0.1;"):
        train(config, options(camvid, learning_rate=0.1, **again), lambda _: None)
    config.training.update(weight_decay=0.5, soft=dict(weight=2.0))
    config.model.decode_head.width = 32
    said = "model.decode_head.width was 64, is 32; training.soft.weight was not set, is 2.0; training.weight_decay was"
    with pytest.raises(ModelError, match=said):
        train(config, options(camvid, **again), lambda _: None)


@pytest.mark.skipif(torch.cuda.is_available(), reason="a GPU trains")
def test_bfloat16_only_where_the_processor_computes_in_it(
    config: Config, camvid: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for known, expected in (({"avx512_bf16": True}, True), ({"bf16": True}, True), ({"avx2": True}, False)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda known=known: known)
        assert computes_in_bf16() is expected
    said: list[str] = []
    config.training.update(bf16=True)
    train(config, options(camvid, iterations=1), said.append)
    assert any(line.startswith("in float32") for line in said)


def test_mistakes_are_said_in_a_line(config: Config, camvid: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="this config knows"):
        train(config, options(camvid, data=[("mapillary", camvid)]), lambda _: None)
    with pytest.raises(ModelError, match="nothing to resume from"):
        train(config, options(camvid, resume=True), lambda _: None)
    with pytest.raises(ModelError, match="no such config"):
        read_config(tmp_path / "none.py")
    (tmp_path / "empty.py").write_text("a = 1\n")
    with pytest.raises(ModelError, match="no model and no training"):
        read_config(tmp_path / "empty.py")
    (camvid.parent / "run" / "last.pt").write_bytes(b"junk")
    with pytest.raises(ModelError, match="not a checkpoint"):
        read_checkpoint(camvid.parent / "run" / "last.pt")


@pytest.mark.parametrize("name", ["iterations", "batch_size", "learning_rate"])
def test_none_is_no_default(config: Config, camvid: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError, match=f"{name} 0: expected more than 0"):
        train(config, options(camvid, **{name: 0}), lambda _: None)
    with pytest.raises(SystemExit):
        main(["train", "dual_branch_s", "--data", f"camvid={camvid}", f"--{name.replace('_', '-')}", "0"])
    assert "positive" in (said := capsys.readouterr().err) or "at least 1" in said


def test_frozen_parameters_stay_while_others_learn(config: Config, camvid: Path, tmp_path: Path) -> None:
    begun = train(config, options(camvid, iterations=1), lambda _: None)
    config.training.update(frozen=["backbone.rgb."], frozen_statistics=True, weight_decay=0.5)
    ended = train(config, options(camvid, work_dir=tmp_path / "on", init=begun), lambda _: None)
    before, after = load_weights(begun)[0], load_weights(ended)[0]
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert "decode_head.conv_seg.weight" in changed
    assert not any(name.startswith("backbone.rgb.") for name in changed)
    config.training.update(frozen=["backbone.camera."])
    with pytest.raises(ModelError, match="no parameter whose name begins with"):
        train(config, options(camvid, work_dir=tmp_path / "odd", init=begun), lambda _: None)
    with pytest.raises(ModelError, match="--init says what to begin with"):
        train(config, options(camvid, work_dir=tmp_path / "random"), lambda _: None)
