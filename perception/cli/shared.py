# SPDX-License-Identifier: Apache-2.0
"""Shared code of the commands: how numbers are parsed, and options that mean the same in every command."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perception.engines import ENGINES
from perception.errors import DataError
from perception.registry import unknown
from perception.sensors.spec import SPECS
from perception.storage import is_url, source, target

PLACES = ("local", "ray")
"""The places where `perception label` ran in the past, by --on and --engine."""


def at_least_one(text: str) -> int:
    """An option's whole number of at least 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text}: expected a number of at least 1")
    return value


def at_least_zero(text: str) -> int:
    """An option's whole number of at least 0."""
    return 0 if int(text) == 0 else at_least_one(text)


def positive(text: str) -> float:
    """An option's finite number above 0."""
    value = float(text)
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return value


def not_negative(text: str) -> float:
    """An option's finite number of at least 0."""
    return 0.0 if float(text) == 0 else positive(text)


def one_of(kind: str, names: Iterable[str]) -> Callable[[str], str]:
    """An option's registered name, such as an engine's; an unknown name is refused with the nearest one."""

    def read(text: str) -> str:
        if text not in names:
            raise argparse.ArgumentTypeError(unknown(kind, text, names))
        return text

    return read


def engine_name(text: str) -> str:
    """An option's engine."""
    return one_of("engine", ("auto", *ENGINES))(text)


def engine_or_place(text: str) -> str:
    """An option's engine, or a place of `perception label`, which was an --engine in the past."""
    return text if text in PLACES else engine_name(text)


def modalities(text: str) -> list[str]:
    """An option's sensors, with commas."""
    return [one_of("sensor", SPECS)(name) for name in text.split(",")]


def depth_unit(text: str) -> float:
    """An option's unit of depth, in metres."""
    from perception.datasets.io.depth_images import read_unit

    try:
        return read_unit(text)
    except DataError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


LOOKS = "; NAME@0.7 runs smaller, NAME@1x2 looks twice"
"""Of --model, where it says how the model is run as well."""


def model(text: str) -> str | Path:
    """An option's weights: a shipped model's name or a path, as it stands, or a URL."""
    if not is_url(text):
        return text
    if text.endswith(".py"):
        raise argparse.ArgumentTypeError(f"{text}: a config is code, which runs only from a disk of this machine")
    return source(text)


def named_root(item: str) -> tuple[str, Path]:
    """Split NAME=ROOT, whose root may be a URL; DataError for anything else."""
    name, equals, root = item.partition("=")
    if not equals or not root:
        raise DataError(f"--data {item}: write NAME=ROOT, for example camvid=DATA/camvid")
    return name, source(root).expanduser()


@dataclass(frozen=True)
class Shared:
    """The meaning of an option that several commands have.

    stem: how its help begins. types, metavars: the allowed ones; the first unless a command states another; none
    for a switch. short: a second name.
    """

    stem: str
    types: tuple[Callable[[str], Any], ...] = ()
    metavars: tuple[str, ...] = ()
    short: str | None = None


CONDITIONS = ("day", "dusk", "night", "fog", "rain")

SHARED: dict[str, Shared] = {
    "--all": Shared("take all"),
    "--as": Shared("what a folder's images are", (str,), ("KIND",)),
    "--calibration": Shared("the node's calibration file, for what the recording lacks", (source,), ("FILE",)),
    "--condition": Shared(f"light and weather: {', '.join(CONDITIONS)}", (str,), ("NAME",)),
    "--data": Shared("a data set and its folder; repeatable", (str,), ("NAME=ROOT",)),
    "--depth-unit": Shared("unit of a folder's depth images", (depth_unit,), ("UNIT",)),
    "--drives": Shared("number of simulated drives, with consecutive seeds", (at_least_one,), ("N",)),
    "--duration": Shared("take S seconds of the recording", (positive,), ("S",)),
    "--engine": Shared("library that runs the network", (engine_name, engine_or_place), ("ENGINE",)),
    "--format": Shared("which files to write", (str,), ("FORMAT",)),
    "--frames": Shared("number of frames", (at_least_one,), ("N",), short="-n"),
    "--hz": Shared("frames per second", (positive,), ("HZ",)),
    "--int8": Shared("also in INT8"),
    "--json": Shared("write the report to FILE, as JSON (docs/reports.md)", (target,), ("FILE",)),
    "--live": Shared("use the topics that are published now"),
    "--modalities": Shared(f"use only these of {','.join(SPECS)}", (modalities,), ("LIST",)),
    "--model": Shared(
        "weights: a shipped model's name, or a file",
        (model,),
        ("NAME|FILE",),
    ),
    "--output": Shared("where to write", (target,), ("DIR", "FILE", "DIR|FILE"), short="-o"),
    "--recipe": Shared("how to train: a name in configs/recipes, or the path of a .py file", (str,), ("NAME|FILE",)),
    "--report": Shared("write a page about the results to FILE", (target,), ("FILE",)),
    "--seconds": Shared("for S seconds", (positive,), ("S",)),
    "--seed": Shared("random seed, the same result for the same seed", (at_least_zero,), ("N",)),
    "--split": Shared("part of the data set: train, val, all or test, as it has them", (str,), ("NAME",)),
    "--start": Shared("skip the first S seconds of the recording", (not_negative,), ("S",)),
    "--storage": Shared("format of the bag: mcap or sqlite3", (str,), ("NAME",)),
    "--threads": Shared("CPU threads", (at_least_one,), ("N",)),
    "--topics": Shared(
        "topic names: rig.yaml as `perception init` writes it, rig.yaml:CAMERA of several, or kitti2bag, "
        "kitti_to_ros2bag",
        (str,),
        ("NAME|FILE",),
    ),
    "--without": Shared(f"leave a sensor out: {', '.join(SPECS)}; repeatable", (str,), ("SENSOR",)),
    "--workers": Shared("processes that share the work", (at_least_one, at_least_zero), ("N",)),
}
"""Every option that two commands have."""


def add(
    parser: argparse._ActionsContainer, name: str, more: str = "", former: str | None = None, **options: Any
) -> None:
    """Declare an option of SHARED. more: what is specific to this command, appended to the stem.

    former: its old name, accepted with a warning. options: further ones of `add_argument`, or another of the types and
    metavars.
    """
    shared = SHARED[name]
    if shared.types:
        options = {"type": shared.types[0], "metavar": shared.metavars[0], **options}
    else:
        options = {"action": "store_true", **options}
    names = [shared.short, name] if shared.short else [name]
    added = parser.add_argument(*names, help=f"{shared.stem}{more}", **options)
    if former:
        add_former(parser, former, added)


def add_former(parser: argparse._ActionsContainer, former: str, now: argparse.Action) -> None:
    """The old name of the option `now`."""
    parser.add_argument(
        former,
        dest=now.dest,
        action=_Former,
        now=now,
        type=now.type or str,
        choices=now.choices,
        default=argparse.SUPPRESS,
        help=argparse.SUPPRESS,
    )


class _Former(argparse.Action):
    """Does the same as the option `name`, with a warning."""

    def __init__(self, *words: Any, now: argparse.Action, **options: Any) -> None:
        super().__init__(*words, **options)
        self._now = now

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        name = self._now.option_strings[-1]
        print(f"{parser.prog}: {option} is called {name} now", file=sys.stderr)
        self._now(parser, namespace, values, option)


def add_without(parser: argparse._ActionsContainer) -> None:
    """--without, which is repeatable: `args.without` is a list of modalities."""
    add(parser, "--without", action="append", choices=tuple(SPECS), default=[])


def add_engine(parser: argparse._ActionsContainer) -> None:
    """--engine, with the list of engines."""
    add(parser, "--engine", f": {', '.join(('auto', *ENGINES))} (auto)", default="auto")


def add_reading(parser: argparse._ActionsContainer) -> None:
    """The options of a folder of images: `kind` and `depth_unit`, as `recordings.opening.Reading` has them."""
    add(
        parser, "--as", ": rgb or infrared (default: infrared for one channel, else rgb)", dest="kind",
        choices=("rgb", "infrared"),
    )  # fmt: skip
    add(parser, "--depth-unit", ": mm, m/256 as in KITTI, cm, m, or metres (default: detected, if it is certain)")
