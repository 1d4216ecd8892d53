# SPDX-License-Identifier: Apache-2.0
"""Writes what people read about the node's parameters: run `python -m perception.assembly.settings.parameter_docs`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

from perception.assembly.settings.parameters import PARAMETERS, Parameter

YAML, MARKDOWN = Path("configs/node/default.yaml"), Path("docs/parameters.md")

_YAML_HEAD = """\
# Every parameter of the node with its default; copy what you change.
#   perception node --ros-args --params-file my.yaml
/**:
  ros__parameters:
"""
_MARKDOWN_HEAD = """\
# Parameters

Made from the code by `python -m perception.assembly.settings.parameter_docs`.
`ros2 param describe /perception NAME` says the same.
A value that does not fit is refused with the reason, and the node goes on with the one before.

| parameter | default | values | takes effect | |
|---|---|---|---|---|
"""
_MARKDOWN_TAIL = """
The quality of service of each input is a parameter too, `qos_overrides.<topic>.subscription.<policy>` with the topic
after remapping and a policy among reliability, durability, history and depth; it is read when the node activates. That
of each output is `qos_overrides.<topic>.publisher.<policy>`, read when the node is configured. Images and clouds are
published as best effort, which reliable listeners do not hear; what is small, reliably:

```yaml
/**:
  ros__parameters:
    qos_overrides:
      /points:
        subscription:
          reliability: reliable
          depth: 2
      /perception/labels:
        publisher:
          reliability: reliable
```
"""


def yaml() -> str:
    """configs/node/default.yaml."""
    lines: list[str] = []
    group = ""
    for row in PARAMETERS:
        head, _, name = row.name.rpartition(".")
        if head and head != group:
            lines.append(f"    {head}:")
        group = head
        indent = "      " if head else "    "
        text = " ".join((row.description, *_remarks(row)))
        lines += textwrap.wrap(
            text, 104, initial_indent=f"{indent}# ", subsequent_indent=f"{indent}# ", break_on_hyphens=False
        )
        lines.append(f"{indent}{name}: {_value(row)}")
    return _YAML_HEAD + "\n".join(lines) + "\n"


def markdown() -> str:
    """docs/parameters.md."""
    lines = []
    for row in PARAMETERS:
        when = "at once" if row.live else "at start" if row.read_only else "at the next configure"
        default = f"`{_value(row)}`"
        if isinstance(row.default, tuple) and not any(row.default) and not isinstance(row.default[0], str):
            default = f"{len(row.default)} zeros"
        lines.append(f"| `{row.name}` | {default} | {_values(row)} | {when} | {row.description} |")
    return _MARKDOWN_HEAD + "\n".join(lines) + "\n" + _MARKDOWN_TAIL


def _remarks(row: Parameter) -> Iterator[str]:
    if row.choices:
        yield f"One of {', '.join(row.choices)}."
    if row.range is not None:
        yield f"{_values(row)}."
    if row.live:
        yield "Live."


def _values(row: Parameter) -> str:
    if row.choices:
        return ", ".join(f"`{choice}`" for choice in row.choices)
    if row.range is not None:
        return f"{row.range[0]:g} to {row.range[1]:g}"
    if isinstance(row.default, tuple):
        return "texts" if isinstance(row.default[0], str) else f"{len(row.default)} numbers"
    return {bool: "true, false", str: "text"}[type(row.default)]


def _value(row: Parameter) -> str:
    if isinstance(row.default, bool):
        return str(row.default).lower()
    if isinstance(row.default, str):
        return f'"{row.default}"'
    return json.dumps(row.default)


if __name__ == "__main__":
    YAML.write_text(yaml(), "utf-8")
    MARKDOWN.write_text(markdown(), "utf-8")
