# SPDX-License-Identifier: Apache-2.0
"""Writes the page about the commands' JSON: run `python -m perception.cli.documents.reports`."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
import types
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

from perception.reporting.reports import VERSIONS

PAGE = Path("docs/reports.md")

CLASSES = {
    "bench": ("perception.benchmark.results", "BenchReport"),
    "check": ("perception.checking.report", "CheckReport"),
    "compare": ("perception.comparing.report", "CompareReport"),
    "demo": ("perception.evaluation.demo_report", "DemoReport"),
    "doctor": ("perception.checking.machine", "DoctorReport"),
    "eval": ("perception.evaluation.job", "EvalReport"),
    "explain": ("perception.explanation.explain", "ExplainReport"),
    "export": ("perception.export.job", "ExportReport"),
    "export-check": ("perception.export.inspection", "ExportCheckReport"),
    "kitti2bag": ("perception.bags.kitti.convert", "Conversion"),
    "label": ("perception.labelling.report", "LabelReport"),
    "replay": ("perception.ros.replay", "ReplayReport"),
    "select": ("perception.selection.report", "SelectReport"),
    "simulate": ("perception.simulation.job", "SimulateReport"),
}
"""The module and dataclass of each command's report."""

HEAD = """\
# Reports

Every command that measures or converts something writes its results with `--json FILE`; `demo`, `bench`, `check`,
`select` and `compare` also write them to their output folder. Each report is an object with a `schema`:
`perception/NAME-report/VERSION`. The version increases if a key is removed or changes its meaning; a new key changes
nothing. Unknown values are null.

`--json FILE.csv`, or any other ending, is written in that format if a [module of yours](extending.md#a-report)
registers it. For an ending that is not registered, the file is JSON.

The tables are generated from the code by `python -m perception.cli.documents.reports`. `a.b` is key b of the object a,
`a[].b` of every object in the list a, `a.*.b` of every object in a, whose keys are names.
"""

SIMPLE: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    type(None): "null",
    Any: "anything",
}


def markdown() -> str:
    """docs/reports.md."""
    parts = [HEAD]
    for command, (module, name) in CLASSES.items():
        report = getattr(importlib.import_module(module), name)
        told: dict[str, str] = {}
        rows = dict(keys(report, told))
        schema = f"`perception/{command}-report/{VERSIONS[command]}`"
        parts.append(f"\n## perception {command}\n\n{schema}. {_text(report)}\n\n")
        parts.append("| key | |\n|---|---|\n| `schema` | text |\n")
        parts += [f"| `{key}` | {kind} |\n" for key, kind in rows.items()]
        parts += ["\n", *(f"- {where}: {text}\n" for where, text in told.items())] if told else []
    return "".join(parts)


def keys(report: type, told: dict[str, str], before: str = "") -> Iterator[tuple[str, str]]:
    """Every key of a report's dataclass, with its type. told: collects the docstrings of the dataclasses inside."""
    hints = get_type_hints(report)
    for field in dataclasses.fields(report):
        inner, kind = _inside(hints[field.name])
        if "inline" in field.metadata:
            if not inner:
                yield f"{before}…", "keys of its own"
            for _, each in inner:
                rows = dict(keys(each, {}, before))
                told[f"`{next(iter(rows))}` to `{next(reversed(rows))}`"] = _text(each)
                yield from keys(each, told, before)
            continue
        key = f"{before}{field.name}"
        yield key, kind.removesuffix(" or null") + ", or no key" if "optional" in field.metadata else kind
        for path, each in inner:
            told[f"`{key}{path}`"] = " ".join(filter(None, (told.get(f"`{key}{path}`"), _text(each))))
            yield from keys(each, told, f"{key}{path}.")


def _inside(hint: Any) -> tuple[list[tuple[str, type]], str]:
    """The dataclasses in a field, each with its path, and a description of the field's type."""
    if hint in SIMPLE:
        return [], SIMPLE[hint]
    if dataclasses.is_dataclass(hint):
        return [("", hint)], "object"  # type: ignore[list-item]
    if isinstance(hint, type) and issubclass(hint, tuple):  # a NamedTuple of numbers
        return [], f"object: {', '.join(hint._fields)}"  # type: ignore[attr-defined]
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        found = [_inside(each) for each in arguments]
        inner = [each for part, _ in found for each in part]
        return inner, " or ".join(dict.fromkeys(kind for _, kind in found))
    inner, kind = _inside(arguments[-1])
    if origin in (dict, Mapping):
        return [(f".*{path}", each) for path, each in inner], "object" if inner else f"object of {_plural(kind)}"
    if origin in (list, Sequence):
        return [(f"[]{path}", each) for path, each in inner], f"list of {_plural(kind)}"
    raise TypeError(f"{hint}: has no description")


def _plural(kind: str) -> str:
    return kind if " of " in kind else re.sub(r"^(text|number|object)", r"\1s", kind)


def _text(owner: type) -> str:
    return re.sub(r"\bNone\b", "null", " ".join((inspect.getdoc(owner) or "").split()))


if __name__ == "__main__":
    PAGE.write_text(markdown(), "utf-8")
