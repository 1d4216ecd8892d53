# SPDX-License-Identifier: Apache-2.0
"""The command line as a whole: help, mistakes, exit codes."""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest

import perception
from perception.cli import main as cli
from perception.errors import DataError

HEAVY = ("torch", "mmengine", "mmseg", "open3d", "matplotlib", "openvino", "rosbags", "rclpy", "rich", "fsspec", "s3fs")


def run_cli(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "perception", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, timeout=60)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[argparse.Namespace], int]], None]:
    """Makes a function the command `perception probe`, which has one option and passes ROS arguments on."""

    def install(run: Callable[[argparse.Namespace], int]) -> None:
        module = types.ModuleType("perception.cli.probe")
        module.SUMMARY, module.PASS_THROUGH, module.run = "probe", True, run  # type: ignore[attr-defined]
        module.add_arguments = lambda parser: parser.add_argument("--level", type=int)  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(cli.GROUPS, "Test", ("probe",))

    return install


def test_overview_lists_every_command_and_is_what_no_arguments_print(tmp_path: Path) -> None:
    shown = run_cli("--help", cwd=tmp_path)
    assert shown.returncode == 0
    assert not shown.stderr
    for name in cli.command_names():
        assert f"  {name} " in shown.stdout
    assert max(map(len, shown.stdout.splitlines())) <= 110
    assert run_cli(cwd=tmp_path).stdout == shown.stdout


def test_the_commands_of_the_contract_are_there() -> None:
    assert {"demo", "node", "replay", "train", "eval", "export", "simulate"} <= set(cli.command_names())


def test_help_loads_nothing_heavy() -> None:
    code = (
        "import sys; from perception.cli import main as cli; cli.overview();"
        "[cli.make_parser(name).format_help() for name in cli.command_names()];"
        f"sys.exit(' '.join(m for m in {HEAVY!r} if m in sys.modules) or 0)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert loaded.returncode == 0, loaded.stderr


@pytest.mark.parametrize("name", cli.command_names())
def test_help_teaches(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        cli.main([name, "--help"])
    assert leaving.value.code == 0
    text = capsys.readouterr().out
    assert "examples:" in text
    assert f"perception {name}" in text.split("examples:")[1]
    parser = cli.make_parser(name)
    undocumented = [action.dest for action in parser._actions if not action.help]
    assert not undocumented
    assert "\n" not in cli.load(name).SUMMARY


def test_help_of_a_command_by_the_word_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["help", "eval"])
    assert "perception eval" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"perception {perception.__version__}\n"


def test_an_unknown_command_gets_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["trian"]) == 2
    assert capsys.readouterr().err == "perception: no command 'trian'; did you mean `perception train`?\n"
    assert cli.main(["xyzzy"]) == 2
    assert "commands: demo" in capsys.readouterr().err


def test_an_unknown_option_gets_the_nearest(command: Callable[..., None], capsys: pytest.CaptureFixture[str]) -> None:
    command(lambda args: 0)
    with pytest.raises(SystemExit) as leaving:
        cli.main(["probe", "--levle", "3"])
    assert leaving.value.code == 2
    error = capsys.readouterr().err
    assert (
        error == "perception probe: unknown argument '--levle', did you mean --level? (see `perception probe --help`)\n"
    )


def test_ros_arguments_pass_through_untouched(command: Callable[..., None]) -> None:
    seen: list[argparse.Namespace] = []
    command(lambda args: seen.append(args) or 0)
    ros = ["--ros-args", "-p", "threads:=2", "-r", "image:=/camera", "--level", "debug"]
    assert cli.main(["probe", "--level", "3", *ros]) == 0
    assert seen[0].level == 3
    assert seen[0].rest == ros


def _fail(error: BaseException) -> Callable[[argparse.Namespace], int]:
    def run(args: argparse.Namespace) -> int:
        raise error

    return run


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("drive: no such folder"), "drive: no such folder"),
        (FileNotFoundError(2, "No such file or directory", "a.png"), "a.png: No such file or directory"),
        (ModuleNotFoundError("No module named 'mmseg.apis'", name="mmseg.apis"), "multimodal_perception[train]"),
        (ModuleNotFoundError("No module named 'rclpy'", name="rclpy"), "multimodal_perception[node]"),
        (ModuleNotFoundError("No module named 'matplotlib'", name="matplotlib"), "multimodal_perception[report]"),
        (ImportError("libusb-1.0.so.0: cannot open shared object file"), "sudo apt-get install"),
    ],
)
def test_a_mistake_is_one_line(
    error: Exception, line: str, command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(_fail(error))
    assert cli.main(["probe"]) == 2
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == 1
    with pytest.raises(type(error)):
        cli.main(["probe", "--debug"])


def test_the_environment_asks_for_a_traceback(command: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    command(_fail(DataError("broken")))
    monkeypatch.setenv("PERCEPTION_DEBUG", "1")
    with pytest.raises(DataError):
        cli.main(["probe"])


@pytest.mark.parametrize(
    "error", [KeyboardInterrupt(), RuntimeError("Converting input model\nKeyboardInterrupt: <EMPTY>")]
)
def test_ctrl_c_is_one_word_whoever_passes_it_on(
    error: BaseException, command: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(_fail(error))
    assert cli.main(["probe"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    "error", [RuntimeError("something"), OSError("no file named"), ModuleNotFoundError("x", name="perception.nope")]
)
def test_a_defect_of_ours_keeps_its_traceback(error: Exception, command: Callable[..., None]) -> None:
    command(_fail(error))
    with pytest.raises(type(error)):
        cli.main(["probe"])


def test_ctrl_c_leaves_with_130_and_one_word() -> None:
    code = (
        "import signal, sys, time, types; from perception.cli import main as cli;"
        "m = types.ModuleType('perception.cli.probe'); m.SUMMARY = ''; m.add_arguments = lambda parser: None;"
        "m.run = lambda args: print('ready', flush=True) or time.sleep(60);"
        "signal.signal(signal.SIGINT, signal.default_int_handler);"
        "sys.modules[m.__name__] = m; cli.GROUPS['Test'] = ('probe',); sys.exit(cli.main(['probe']))"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert errors == "interrupted\n"


def test_mmcv_s_import_is_silent() -> None:
    pytest.importorskip("mmcv")
    code = "import perception, mmcv.cnn.bricks.transformer"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("arguments", [["--help"], ["eval", "--help"]])
def test_a_closed_pipe_is_quiet(arguments: list[str]) -> None:
    command = [sys.executable, "-m", "perception", *arguments]
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    errors = process.stderr.read()
    assert process.wait(timeout=30) == 141
    assert not errors
