# SPDX-License-Identifier: Apache-2.0
"""The reports of commands, dataclasses whose fields are JSON's keys: each says what it is, and all are written here."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from perception.disk import write_file
from perception.errors import PerceptionError
from perception.registry import Registry

VERSIONS: dict[str, int] = {
    "bench": 1,
    "check": 1,
    "compare": 1,
    "demo": 1,
    "doctor": 1,
    "eval": 1,
    "explain": 1,
    "export": 1,
    "export-check": 1,
    "kitti2bag": 1,
    "label": 1,
    "replay": 1,
    "select": 1,
    "simulate": 1,
}
"""Of each command's report; it grows when a key goes away or means something else. docs/reports.md has the keys."""

REPORTS: Registry[Callable[[Mapping[str, Any]], str]] = Registry("form of reports", "reports", PerceptionError)
"""What makes a file's text of a report's content, by the file's ending."""


@REPORTS.register("json")
def as_json(content: Mapping[str, Any]) -> str:
    """The text of a JSON file."""
    return json.dumps(content, indent=1) + "\n"


OPTIONAL = {"optional": True}
"""Metadata of a report's field that is no key where it is None, for what only some runs have."""

INLINE = {"inline": True}
"""Metadata of a report's field, itself a dataclass, whose keys are the report's own; None has none."""


def content(command: str, report: Any) -> dict[str, Any]:
    """The JSON of a command's report, a dataclass: its schema, and what `plain` makes of it."""
    return {"schema": f"perception/{command}-report/{VERSIONS[command]}", **plain(report)}


def write_report(path: Path, command: str, report: Any) -> None:
    """Write `content` as JSON, or as what REPORTS has for the file's ending. Raises as `write_file` does."""
    form = REPORTS.get(path.suffix[1:].lower(), as_json)
    write_file(path, form(content(command, report)).encode())


def plain(value: Any) -> Any:
    """`value` for JSON: dataclasses and named tuples become dictionaries (see OPTIONAL and INLINE), NaN None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        keys: dict[str, Any] = {}
        for field in dataclasses.fields(value):
            item = plain(getattr(value, field.name))
            if "inline" in field.metadata:
                keys |= item or {}
            elif item is not None or "optional" not in field.metadata:
                keys[field.name] = item
        return keys
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        value = value._asdict()
    if isinstance(value, Mapping):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value
