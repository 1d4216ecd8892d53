# SPDX-License-Identifier: Apache-2.0
"""`perception eval --report`: the scores as a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rich.table import Table as RichTable
from rich.text import Text

from perception.evaluation.job import Result
from perception.evaluation.scores_report import scores_page
from perception.reporting.page import Table
from perception.reporting.provenance import versions
from perception.reporting.reports import plain


def write(path: Path, result: Result) -> None:
    """Write the page, with every table."""
    page = scores_page(result.title, result.count, plain(result.report), result.extremes)
    page.tables = list(_tables([*result.tables, *result.details]))
    made_by = {"model": result.report.model, "weights_sha256": result.report.weights_sha256}
    page.provenance = {**made_by, **versions()}
    page.write(path)


def _tables(tables: Sequence[RichTable | str]) -> Iterator[Table]:
    """The terminal's tables under their titles, or numbered; lines of text in a table of their own."""
    for place, table in enumerate((table for table in tables if isinstance(table, RichTable)), start=1):
        header = [_plain(column.header) for column in table.columns]
        rows = list(zip(*([_plain(cell) for cell in column.cells] for column in table.columns), strict=True))
        title = str(table.title or header[0] or ("scores" if place == 1 else "more scores"))
        yield Table(title[0].upper() + title[1:], rows, header)
    lines = [("", table) for table in tables if isinstance(table, str)]
    yield Table("Notes", lines)


def _plain(cell: Any) -> str:
    """A cell's text without its colours and line breaks."""
    return " ".join(Text.from_markup(str(cell)).plain.split())
