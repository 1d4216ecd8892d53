# SPDX-License-Identifier: Apache-2.0
"""Heads and losses for any table of classes: a config lists its `classes`, and the numbers follow from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.config import Config

from perception.classes import CLASSES, Classes
from perception.errors import ModelError


def classes_of_config(config: Config, path: Path) -> Classes:
    """The table of a network's config, whose `classes` are rows in addition to `CLASSES` or replace it. ModelError."""
    rows = config.get("classes", ())
    try:
        if not isinstance(rows, (list, tuple)):
            raise ModelError(f"classes: expected a list of dicts, got {rows!r}")
        return CLASSES.extended([dict(row) if isinstance(row, dict) else row for row in rows])
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def widen(part: Any, classes: Classes, where: str = "model") -> None:
    """Set every `num_classes` in a part of a config, and extend every `class_weight`, in place.

    Raises ModelError for a number that is neither the table's nor four.
    """
    if isinstance(part, dict):
        for name, value in part.items():
            if name == "num_classes":
                if value not in (len(CLASSES), len(classes)):
                    raise ModelError(
                        f"{where}.num_classes: {value}, but the config's `classes` are {len(classes)}: "
                        f"{', '.join(classes.names)}"
                    )
                part[name] = len(classes)
            elif name == "class_weight" and value is not None:
                part[name] = classes.per_class(value, f"{where}.class_weight")
            else:
                widen(value, classes, f"{where}.{name}")
    elif isinstance(part, (list, tuple)):
        for number, value in enumerate(part):
            widen(value, classes, f"{where}[{number}]")
