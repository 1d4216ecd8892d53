# SPDX-License-Identifier: Apache-2.0
"""A report as one self-contained HTML file: no network, no script, all pictures embedded."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.reporting.page_style import TEMPLATE


class Picture(NamedTuple):
    """An (H, W, 3) uint8 RGB image with its caption."""

    image: NDArray[np.uint8]
    caption: str


class Figure(NamedTuple):
    """A picture's bytes. alt: what it shows, for those who cannot see it. kind: its media type."""

    data: bytes
    alt: str
    caption: str = ""
    kind: str = "image/png"


class Table(NamedTuple):
    """Rows of cells, the first of each naming it; header: the names of the columns, if they need any. prose: whether
    cells are sentences, which wrap, and not numbers."""

    title: str
    rows: Sequence[Sequence[Any]]
    header: Sequence[str] = ()
    prose: bool = False


@dataclass
class Page:
    """The parts of a report, in the order of display; empty parts are left out.

    lead: summary, in a sentence or two. notes: warnings. tiles: name and value of each
    key figure. first: tables above all pictures. films, pictures: as wide as the page; plots: side by side.
    provenance: versions and settings, by name.
    """

    title: str
    lead: str
    notes: list[str] = field(default_factory=list)
    tiles: list[tuple[str, str]] = field(default_factory=list)
    first: list[Table] = field(default_factory=list)
    films: list[Figure] = field(default_factory=list)
    plots: list[Figure] = field(default_factory=list)
    pictures: list[Figure] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    provenance: Mapping[str, Any] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Write the HTML file, and the folder that it is in."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.html(), "utf-8")

    def html(self) -> str:
        """The whole file's text."""
        paragraphs = [f"<p>{_text(self.lead)}</p>", *(f'<p class="note">{_text(note)}</p>' for note in self.notes)]
        parts = [f"<h1>{_text(self.title)}</h1>", *paragraphs]
        if self.tiles:
            cells = (f"<div><b>{_text(value)}</b><span>{_text(name)}</span></div>" for name, value in self.tiles)
            parts.append(f'<div class="tiles">{"".join(cells)}</div>')
        parts += [_table(table) for table in self.first if table.rows]
        parts += map(_figure, self.films)
        if self.plots:
            parts.append(f'<div class="plots">{"".join(map(_figure, self.plots))}</div>')
        parts += map(_figure, self.pictures)
        tables = [table for table in self.tables if table.rows]
        tables += table_of("Versions and hashes", self.provenance)
        parts.append(f'<div class="tables">{"".join(map(_table, tables))}</div>')
        return TEMPLATE.replace("{{title}}", _text(self.title)).replace("{{body}}", "\n".join(parts))


def photograph(picture: Picture) -> Figure:
    """A picture as JPEG."""
    image = cv2.cvtColor(picture.image, cv2.COLOR_RGB2BGR)
    data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return Figure(data, picture.caption, picture.caption, "image/jpeg")


def table_of(title: str, values: Mapping[str, Any]) -> list[Table]:
    """A table of names and values; none where there are no values."""
    return [Table(title, list(values.items()))] if values else []


def number(value: float | None, digits: int) -> str:
    """The value with so many decimals; n/a if unknown."""
    return "n/a" if value is None or value != value else f"{value:.{digits}f}"


def listed(values: Mapping[str, float | None], digits: int = 3) -> str:
    """The values in a line, for a plot's alt."""
    return ", ".join(f"{name} {number(value, digits)}" for name, value in values.items())


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{_text(name)}</th>' for name in table.header)
    rows = ""
    for name, *cells in table.rows:
        values = "".join(f"<td>{_text(_cell(cell))}</td>" for cell in cells)
        rows += f'<tr><th scope="row">{_text(name)}</th>{values}</tr>'
    kind = f' class="wide{" prose" if table.prose else ""}"' if table.header else ""
    inside = f"<table>{f'<thead><tr>{head}</tr></thead>' if head else ''}<tbody>{rows}</tbody></table>"
    return f'<section{kind}><h2>{_text(table.title)}</h2><div class="scroll">{inside}</div></section>'


def _cell(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _figure(figure: Figure) -> str:
    source = f"data:{figure.kind};base64,{base64.b64encode(figure.data).decode()}"
    text = f"<figcaption>{_text(figure.caption)}</figcaption>" if figure.caption else ""
    return f'<figure><img src="{source}" alt="{_text(figure.alt)}">{text}</figure>'


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)
