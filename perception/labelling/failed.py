# SPDX-License-Identifier: Apache-2.0
"""Lists of inputs: what a run could not label, which another run can take, and anybody's own."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from perception.datasets.io.files import read_text
from perception.disk import write_json
from perception.errors import DataError
from perception.labelling.report import Refused
from perception.reporting.reports import plain
from perception.storage import Target

FAILED = "failed.json"
"""Beside the folders of several inputs: those that could not be labelled."""

SCHEMA = "perception/label-failed/1"


def read_inputs(path: Path) -> list[str]:
    """The inputs that a file lists: a line each, empty ones and those with # in front aside, or what FAILED has.

    Raises DataError for a file that is missing, or lists nothing.
    """
    text = read_text(path)
    if text.lstrip().startswith("{"):
        found = [str(each["input"]) for each in read_failed(path)]
    else:
        lines = (line.strip() for line in text.splitlines())
        found = [line for line in lines if line and not line.startswith("#")]
    if not found:
        raise DataError(f"{path}: lists no input; expected one a line, or a {FAILED} of `perception label`")
    return found


def read_failed(path: Path) -> list[dict[str, Any]]:
    """The entries of the list at `path`; none where it is not there. Raises DataError for any other file."""
    if not path.exists():
        return []
    try:
        content = json.loads(read_text(path))
        entries = [dict(each) for each in content["failed"]]
        if content["schema"] != SCHEMA or not all("input" in each for each in entries):
            raise ValueError(f"no {SCHEMA}")
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: not the list that `perception label` writes ({error}); move it away") from error
    return entries


def write_failed(path: Path, before: Sequence[dict[str, Any]], tried: Collection[str], refused: list[Refused]) -> None:
    """Write the list, or take it away where nothing is on it.

    before: entries of earlier runs, which stay where their input is not among `tried`, those of this run.
    """
    entries = [each for each in before if each["input"] not in tried] + [plain(each) for each in refused]
    if entries or (before and isinstance(path, Target)):  # from an object store nothing is taken away
        write_json(path, {"schema": SCHEMA, "failed": entries})
    else:
        path.unlink(missing_ok=True)
