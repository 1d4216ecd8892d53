# SPDX-License-Identifier: Apache-2.0
"""`perception init`: writes the file that maps topics to inputs."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import add
from perception.errors import DataError, PerceptionError
from perception.storage import source

if TYPE_CHECKING:
    from perception.recordings.survey import Survey

SUMMARY = "find the topics of a bag or a live vehicle, and write the rig.yaml that every command takes"
EXAMPLES = """\
perception init bag                       then: perception label bag
perception init bag -o front.yaml         then: perception label bag --topics front.yaml
perception init --live                    then: perception node --topics rig.yaml

The file names the topics of camera, depth, infrared, LiDAR and so on, with their properties (type,
encoding, size, rate, frame), alternatives, the mounting of the LiDAR from TF, and what is missing. `node`, `label`,
`view`, `replay` and the launch file take it with --topics; label, view and replay also find a file rig.yaml beside
the bag or in the working folder.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception init`."""
    parser.add_argument("bag", nargs="?", type=source, metavar="BAG", help="rosbag2 folder or the file in it")
    add(parser, "--live", ": ask them")
    add(parser, "--output", " the file (rig.yaml)", default=Path("rig.yaml"), metavar="FILE")
    add(parser, "--seconds", ": how long --live listens (5)", default=5.0)


def run(args: argparse.Namespace) -> int:
    """Survey the topics, choose, write the file, and print what was chosen and what is uncertain."""
    from rich.console import Console

    from perception.recordings.rig import propose
    from perception.recordings.rig_file import about, render, write_rig

    if (args.bag is None) != args.live:
        raise PerceptionError("give a bag, or --live for the topics that are published now")
    if args.output.suffix not in (".yaml", ".yml"):
        raise PerceptionError(f"{args.output}: name it .yaml: --topics takes other names for presets")
    survey = _live(args.seconds) if args.live else _recorded(args.bag)
    rig = propose(survey)
    write_rig(args.output, render(rig, survey.name, f"{args.output}"))
    console = Console(highlight=False)

    def say(line: str) -> None:
        console.print(line, soft_wrap=True, markup=False)

    for name, choice in rig.choices.items():
        say(f"{name}: {choice.seen.topic} ({about(choice.seen, name)})")
    for line in rig.unsure:
        say(f"not sure: {line}")
    for line in rig.wanting:
        say(f"wanting: {line}")
    given = "" if args.output == Path("rig.yaml") else f" --topics {args.output}"
    following = f"node --topics {args.output}" if args.live else f"label {args.bag}{given}"
    say(f"{args.output} written; next: perception {following}")
    return 0


def _recorded(path: Path) -> Survey:
    from perception.recordings.survey import survey_recording

    try:
        return survey_recording(path.expanduser())
    except DataError as error:
        raise DataError(f"{error}; init takes a rosbag2: drives and image folders need no file of topics") from error


def _live(seconds: float) -> Survey:
    from perception.ros.dds import use_profile
    from perception.ros.imports import require_rclpy

    use_profile()
    require_rclpy()
    from perception.ros.live_survey import survey_live

    return survey_live(seconds)
