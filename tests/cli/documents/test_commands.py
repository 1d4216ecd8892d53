# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

from perception.cli.documents.commands import markdown
from perception.cli.main import command_names


def test_the_page_is_that_of_the_parsers() -> None:
    page = Path(__file__).parents[3] / "docs/commands.md"
    assert page.read_text("utf-8") == markdown(), "run `python -m perception.cli.documents.commands`"


def test_every_command_has_its_options_and_examples() -> None:
    for name in command_names():
        assert f"\n### perception {name}\n" in markdown()
    assert "| `-o`, `--output` `DIR` | where to write, new or from an earlier run (labels/INPUT) |" in markdown()
    assert "| `--topics` `NAME` or `FILE` |" in markdown()
