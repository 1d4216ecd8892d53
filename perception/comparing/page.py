# SPDX-License-Identifier: Apache-2.0
"""compare.json as a page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from perception.comparing.pareto import pareto_plot
from perception.comparing.report import CompareReport
from perception.comparing.tables import notes, tables
from perception.reporting.page import Figure, Page, Table


def compare_page(report: CompareReport, published: Mapping[str, str], picture: Path) -> Page:
    """Tables, plot, and the picture if it is there."""
    lead, *rest = notes(report) or ["Nothing is trained or scored yet."]
    page = Page("Networks compared", lead, notes=rest, provenance=report.versions)
    page.plots = [Figure(pareto_plot(report), "Mean IoU on real sets against time; the tables have the figures.")]
    if picture.is_file():
        text = "Every network on the same six real frames, below the images and their truth."
        page.pictures = [Figure(picture.read_bytes(), text, text, "image/jpeg")]
    page.tables = [
        Table(made.title, [[cell.replace("`", "").replace("**", "") for cell in row] for row in made.rows], made.header)
        for made in tables(report, published).values()
    ]
    return page
