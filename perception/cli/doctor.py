# SPDX-License-Identifier: Apache-2.0
"""`perception doctor`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from perception.cli.shared import add

if TYPE_CHECKING:
    from rich.table import Table

    from perception.checking.machine import Finding

SUMMARY = "report what is installed on this machine, what is missing for which command, and what is broken"

EXAMPLES = """\
perception doctor
perception doctor --json doctor.json         for a bug report

Missing items are needed by some commands; broken items are installed but cannot be used. The exit code is 1 if
something is broken, otherwise 0.
"""

BROKEN_EXIT = 1
STYLES = {"ok": "green", "missing": "yellow", "broken": "red"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception doctor`."""
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Examine the machine and print the table; the exit code tells whether something is broken."""
    from rich.console import Console

    from perception.checking.machine import DoctorReport, findings
    from perception.reporting.reports import write_report

    console = Console(highlight=False)
    with Console(stderr=True).status("looking"):
        found = list(findings())
    console.print(_table(found))
    broken = [each for each in found if each.state == "broken"]
    missing = sum(each.state == "missing" for each in found)
    console.print(f"{len(found) - len(broken) - missing} ok, {missing} missing, {len(broken)} broken")
    if args.json:
        write_report(args.json, "doctor", DoctorReport(found))
    return BROKEN_EXIT if broken else 0


def _table(found: Sequence[Finding]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table("", "", "is", "found", "needed for, and how to get it")
    area = ""
    for each in found:
        if each.area != area:
            table.add_section()
        state = Text(each.state, STYLES[each.state])
        table.add_row(each.area if each.area != area else "", each.name, state, Text(each.what), Text(each.need))
        area = each.area
    return table
