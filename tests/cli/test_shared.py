# SPDX-License-Identifier: Apache-2.0
"""An option has the same meaning in every command."""

from __future__ import annotations

import argparse
from collections import defaultdict

import pytest

from perception.cli.main import command_names, make_parser
from perception.cli.shared import SHARED, add, add_former

OF_EVERY_COMMAND = {"-h", "--help", "--import", "--debug"}


def declared() -> dict[str, dict[str, argparse.Action]]:
    """By option, then by command; old names are left out."""
    found: dict[str, dict[str, argparse.Action]] = defaultdict(dict)
    for command in command_names():
        for action in make_parser(command)._actions:
            for option in action.option_strings if action.help != argparse.SUPPRESS else ():
                found[option][command] = action
    return found


def test_what_several_commands_have_means_the_same_in_all() -> None:
    found = declared()
    several = {option for option, commands in found.items() if len(commands) > 1} - OF_EVERY_COMMAND
    assert several <= {name for key, shared in SHARED.items() for name in (key, shared.short)}, "a row of SHARED each"
    for option, shared in SHARED.items():
        assert len(found[option]) > 1, f"{option}: of one command alone"
        for command, action in found[option].items():
            where = f"{command} {option}"
            assert (action.help or "").startswith(shared.stem), where
            assert action.type in (shared.types or (None,)), where
            assert action.metavar in (shared.metavars or (None,)), where
            assert (shared.short in action.option_strings) == bool(shared.short), where


def test_no_name_of_before_is_a_name_of_today_with_another_meaning() -> None:
    """The two exceptions mean the same as in ROS's own tools, and a file beside an image."""
    found, former = declared(), defaultdict(set)
    for command in command_names():
        for action in make_parser(command)._actions:
            if action.help == argparse.SUPPRESS:
                for option in action.option_strings:
                    former[option].add(command)
    assert {option for option in former if option in found} == {"--rate", "--depth"}
    assert former["--rate"] == {"view", "simulate"}
    assert former["--depth"] == {"simulate"}


@pytest.mark.parametrize(
    ("line", "told", "values"),
    [
        ("simulate -o o --rate 2 --depth tof", ["--rate is called --hz", "--depth is called --depth-camera"],
         {"hz": 2.0, "depth_camera": "tof"}),
        ("view --rate 5", ["--rate is called --hz"], {"hz": 5.0}),
        ("train mine.py --data a=b --work-dir w", ["--work-dir is called --output"], {}),
        ("label a --inference torch", ["--inference is called --engine"], {"engine": "torch", "ray": None}),
        ("label a --engine ray", ["--engine ray is called --ray auto"], {"engine": "auto", "ray": "auto"}),
        ("label a --engine torch --on ray", ["--on ray is called --ray auto"], {"engine": "torch", "ray": "auto"}),
        ("label a --preset kitti2bag", ["--preset is called --topics"], {"topics": "kitti2bag"}),
    ],
)  # fmt: skip
def test_names_of_before_are_taken_with_a_word(
    line: str, told: list[str], values: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    command, *arguments = line.split()
    args = make_parser(command).parse_args(arguments)
    assert capsys.readouterr().err == "".join(f"perception {command}: {words} now\n" for words in told)
    assert {name: vars(args)[name] for name in values} == values


def test_an_engine_and_a_data_set_that_there_are_not_get_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    for line, words in (
        ("eval camvid data --engine torhc", "no engine is called 'torhc'; did you mean 'torch'? There are auto, openv"),
        (
            "eval camvd data",
            "no data set is called 'camvd'; did you mean 'camvid'? There are camvid, cityscapes, cityscapes-small",
        ),
        ("eval camvid data --modalities rgb,lidr", "no sensor is called 'lidr'; did you mean 'lidar'?"),
    ):
        command, *arguments = line.split()
        with pytest.raises(SystemExit):
            make_parser(command).parse_args(arguments)
        assert words in capsys.readouterr().err


def test_a_name_of_before_is_read_as_today_s_is(capsys: pytest.CaptureFixture[str]) -> None:
    parser = argparse.ArgumentParser(prog="x")
    add(parser, "--threads", former="--cores")
    add_former(parser, "--sort", parser.add_argument("--kind", choices=("a", "b")))
    assert vars(parser.parse_args(["--cores", "3"])) == {"threads": 3, "kind": None}
    for wrong in (["--cores", "0"], ["--sort", "c"]):
        with pytest.raises(SystemExit):
            parser.parse_args(wrong)
