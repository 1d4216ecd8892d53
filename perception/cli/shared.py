# SPDX-License-Identifier: Apache-2.0
"""What several commands do alike: name data sets, and say which extra they need."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from perception.errors import DataError, PerceptionError


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
