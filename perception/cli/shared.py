# SPDX-License-Identifier: Apache-2.0
"""What several commands do alike: read numbers, name data sets, and say which extra they need."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perception.errors import DataError, PerceptionError
from perception.frame import MODALITIES


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
        "--without", action="append", choices=MODALITIES, default=[], metavar="SENSOR",
        help=f"leave a sensor out, as if it told nothing: {', '.join(MODALITIES)}; again for another",
    )  # fmt: skip


def named_root(item: str) -> tuple[str, Path]:
    """Split NAME=ROOT; DataError for anything else."""
    name, equals, root = item.partition("=")
    if not equals or not root:
        raise DataError(f"--data {item}: write NAME=ROOT, for example camvid=DATA/camvid")
    return name, Path(root).expanduser()


@contextmanager
def needs(what: str, extra: str) -> Iterator[None]:
    """Turn an ImportError inside into a PerceptionError that names the extra to install. what: with its verb."""
    try:
        yield
    except ImportError as error:
        raise PerceptionError(f"{what}: pip install 'multimodal_perception[{extra}]' ({error})") from error
