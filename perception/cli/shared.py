# SPDX-License-Identifier: Apache-2.0
"""What several commands do alike: read numbers, name data sets, and say which extra they need."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from perception.errors import DataError
from perception.sensors.spec import SPECS


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


def add_without(parser: argparse._ActionsContainer) -> None:
    """The option --without, which may come again and again: `args.without` is a list of modalities."""
    parser.add_argument(
        "--without", action="append", choices=tuple(SPECS), default=[], metavar="SENSOR",
        help=f"leave a sensor out, as if it told nothing: {', '.join(SPECS)}; again for another",
    )  # fmt: skip


def depth_unit(text: str) -> float:
    """An option's unit of depth, in metres."""
    from perception.datasets.io.depth_images import read_unit

    try:
        return read_unit(text)
    except DataError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def add_reading(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """The options of a folder of images: `kind` and `depth_unit`, as `label_inputs.Reading` has them."""
    parser.add_argument(
        "--as", dest="kind", choices=("rgb", "infrared"),
        help="what a folder's images are (default: of one channel infrared, else rgb)",
    )  # fmt: skip
    parser.add_argument(
        "--depth-unit", type=depth_unit, metavar="UNIT",
        help="of a folder's depth images: mm, m/256 as KITTI's, cm, m, or metres (default: told, where it is sure)",
    )  # fmt: skip


def named_root(item: str) -> tuple[str, Path]:
    """Split NAME=ROOT; DataError for anything else."""
    name, equals, root = item.partition("=")
    if not equals or not root:
        raise DataError(f"--data {item}: write NAME=ROOT, for example camvid=DATA/camvid")
    return name, Path(root).expanduser()


def add_topics(parser: argparse.ArgumentParser, former: str | None = None, **options: Any) -> None:
    """The option --topics of every command that hears or reads topics.

    former: its name of before, taken with a word. options: more of `add_argument`.
    """
    parser.add_argument(
        "--topics",
        metavar="NAME|FILE",
        **options,
        help="topic names: rig.yaml as `perception init` writes it, or kitti2bag, kitti_to_ros2bag",
    )
    if former:
        parser.add_argument(former, dest="topics", action=_Former, help=argparse.SUPPRESS)


class _Former(argparse.Action):
    """A name that an option had before."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: object, option: str | None = None
    ) -> None:
        print(f"{parser.prog}: {option} is called --{self.dest} now", file=sys.stderr)
        setattr(namespace, self.dest, values)
