# SPDX-License-Identifier: Apache-2.0
"""Real processes that train together, of which some are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import write_small  # noqa: E402
from helpers.training.shards import gradients, narrow  # noqa: E402
from mmengine.config import Config  # noqa: E402

from perception.cli.main import main  # noqa: E402
from perception.engines.weights import load_weights  # noqa: E402
from perception.paths import config_path  # noqa: E402
from perception.training.hooks import read_checkpoint  # noqa: E402
from perception.training.launch import launch  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """Two threads for such small tensors wait for each other most of the time where the cores are busy."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


DYING = """
import os, signal, threading, time
def die():
    while not os.path.exists(os.environ["DIE_AFTER"]):
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)
if os.environ.get("RANK") == "1":
    if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        threading.Thread(target=die, daemon=True).start()
    else:
        time.sleep(3)
"""
"""A module for --import: the second process kills itself when there is a checkpoint. Restarted, it lives, but is late:
the first process must not take the dead one's address, which torchrun's store still has, for its own."""


@pytest.fixture
def arguments(camvid: Path, tmp_path: Path) -> Callable[[Path], list[str]]:
    """Of `perception` to train the tiny network for twelve steps, in the given folder."""
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    narrow(config)
    config.dump(tmp_path / "tiny.py")
    recipe = write_small(tmp_path / "recipe.py")
    (tmp_path / "dying.py").write_text(DYING)

    def make(output: Path) -> list[str]:
        return [
            *("train", str(tmp_path / "tiny.py"), "--recipe", str(recipe), "--data", f"camvid={camvid}"),
            *("--workers", "0", "--iterations", "12", "--save-interval", "2", "--learning-rate", "1e-4"),
            *("-o", str(output)),
        ]

    return make


def same(one: Path, other: Path) -> None:
    expected, got = (load_weights(run / "weights.safetensors")[0] for run in (one, other))
    assert expected.keys() == got.keys()
    for name, tensor in expected.items():
        torch.testing.assert_close(got[name], tensor, rtol=1e-3, atol=2e-4, msg=name)


def started(tmp_path: Path, output: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run with a second process that dies once."""
    environment = {**os.environ, "DIE_AFTER": str(output / "last.pt"), "PYTHONPATH": f"{Path.cwd()}:{tmp_path}"}
    command = [sys.executable, *words, "--import", "dying"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=280)


def test_ten_steps_have_the_gradients_of_one_process(camvid: Path, thermal: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    data = [("camvid", camvid), ("roadscene", thermal)]
    gradients(one, data)
    launch(gradients, two, data, processes=2)
    expected = torch.load(one / "gradients-0.pt")
    for rank in (0, 1):
        got = torch.load(two / f"gradients-{rank}.pt")
        assert len(got) == len(expected) == 10
        for step, (mine, its) in enumerate(zip(got, expected, strict=True)):
            torch.testing.assert_close(mine, its, rtol=0, atol=1e-5, msg=lambda text, step=step: f"{step}: {text}")
    same(one, two)


def test_a_killed_process_ends_the_run_and_another_number_of_them_goes_on(
    tmp_path: Path, arguments: Callable[[Path], list[str]]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main(arguments(whole)) == 0
    run = started(tmp_path, broken, "-m", "perception", *arguments(broken), "--nproc", "2", "--max-restarts", "0")
    assert run.returncode == 2
    assert (
        run.stderr.strip()
        .splitlines()[-1]
        .startswith(
            "perception: process 1 of 2 was ended by SIGKILL, after 0 restarts; continue from the last checkpoint"
        )
    )
    assert 0 < read_checkpoint(broken / "last.pt")["iteration"] < 12
    assert main([*arguments(broken), "--resume"]) == 0
    same(whole, broken)


def test_torchrun_starts_killed_processes_again_from_the_checkpoint(
    tmp_path: Path, arguments: Callable[[Path], list[str]]
) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert main([*arguments(whole), "--pretrain"]) == 0
    agent = ("-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--max-restarts", "1")
    run = started(tmp_path, broken, *agent, "-m", "perception", *arguments(broken), "--pretrain")
    assert run.returncode == 0, run.stderr
    assert "continues after iteration" in run.stdout
    same(whole, broken)


def test_what_the_processes_cannot_do_is_said_once(
    tmp_path: Path, arguments: Callable[[Path], list[str]], capfd: pytest.CaptureFixture[str]
) -> None:
    before = signal.getsignal(signal.SIGINT)
    assert main([*arguments(tmp_path / "run"), "--nproc", "2", "--batch-size", "3"]) == 2
    said = capfd.readouterr().err
    assert said.count("3 crops a step cannot be shared equally by 2 processes: choose a --batch-size that is a") == 1
    assert signal.getsignal(signal.SIGINT) is before
