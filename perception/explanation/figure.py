# SPDX-License-Identifier: Apache-2.0
"""An explanation as one picture, drawn without a display."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from perception.classes import Classes
from perception.disk import write_file
from perception.errors import DataError
from perception.explanation.explain import Explanation
from perception.explanation.sections import Section, sections
from perception.explanation.views import RGB

WIDTH = 1600
"""Pixels across; all lengths below are pixels too."""

MARGIN, GAP, TITLE, HEADING = 20, 14, 24, 46
MAX_PANEL_HEIGHT = 420
DPI = 100
INK, FADED = "#22272e", "#6b7480"


def draw(found: Explanation, title: str = "") -> RGB:
    """(H, WIDTH, 3) uint8: the masks, then their explanation. title: at the top, for example the frame's name."""
    parts = list(sections(found))
    sizes = [_panel_size(part) for part in parts]
    total = HEADING + MARGIN + sum(map(_section_height, parts, sizes))
    page = _Page(total)
    page.text(MARGIN, HEADING * 0.65, title or "Why it said so", size=17, weight="bold")
    _legend(page, found.prediction.classes)
    top = HEADING
    for part, (width, height) in zip(parts, sizes, strict=True):
        _place(page, part, top, width, height)
        top += _section_height(part, (width, height))
    return page.pixels()


def write(path: Path, picture: RGB) -> None:
    """Write a picture as PNG, or as what the suffix says, as `write_file` does. Raises DataError for no such suffix."""
    kind = Image.registered_extensions().get(path.suffix.lower() or ".png")
    if kind not in Image.SAVE:
        raise DataError(f"{path}: pictures cannot be written as {path.suffix}; name it .png or .jpg")
    data = BytesIO()
    Image.fromarray(picture).save(data, kind)
    write_file(path, data.getvalue())


class _Page:
    """A figure that is addressed in pixels from its upper left corner."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.figure = Figure(figsize=(WIDTH / DPI, height / DPI), dpi=DPI, facecolor="white")
        self._canvas = FigureCanvasAgg(self.figure)

    def text(
        self, x: float, y: float, text: str, size: float, align: str = "left", room: float = WIDTH, **style: str
    ) -> tuple[float, float]:
        """Text of one line, its middle at the height y, in smaller letters where it is longer than `room`.

        Returns where it begins and ends.
        """
        place = {"ha": align, "va": "center", "fontsize": size, "color": INK, **style}
        drawn = self.figure.text(x / WIDTH, 1 - y / self.height, text, **place)  # type: ignore[arg-type]
        extent = drawn.get_window_extent(self._canvas.get_renderer())
        if extent.width > room:
            drawn.set_fontsize(size * room / extent.width)
        return float(extent.x0), float(extent.x1)

    def picture(self, image: RGB, x: float, y: float, width: float, height: float) -> None:
        """An image with its upper left corner at (x, y)."""
        place = (x / WIDTH, 1 - (y + height) / self.height, width / WIDTH, height / self.height)
        axes = self.figure.add_axes(place)
        axes.imshow(image, aspect="auto", interpolation="antialiased")
        axes.set_axis_off()

    def pixels(self) -> RGB:
        """The drawn image."""
        self._canvas.draw()
        return np.array(self._canvas.buffer_rgba(), np.uint8)[..., :3]


def _panel_size(part: Section) -> tuple[int, int]:
    """(width, height) of a section's panels, which all are of one shape."""
    image = part.panels[0][1]
    width = (WIDTH - 2 * MARGIN - GAP * (part.columns - 1)) // part.columns
    height = round(width * image.shape[0] / image.shape[1])
    if height <= MAX_PANEL_HEIGHT:
        return width, height
    return round(MAX_PANEL_HEIGHT * image.shape[1] / image.shape[0]), MAX_PANEL_HEIGHT


def _section_height(part: Section, size: tuple[int, int]) -> int:
    rows = -(-len(part.panels) // part.columns)
    return HEADING + rows * (TITLE + size[1] + GAP // 2)


def _place(page: _Page, part: Section, top: int, width: int, height: int) -> None:
    _, right = page.text(MARGIN, top + HEADING * 0.6, part.heading, size=13, weight="bold")
    page.text(right + 12, top + HEADING * 0.62, part.note, size=10.5, color=FADED)
    if part.scale:
        _scale(page, *part.scale, y=top + HEADING * 0.62)
    for number, (title, image) in enumerate(part.panels):
        row, column = divmod(number, part.columns)
        x, y = MARGIN + column * (width + GAP), top + HEADING + row * (TITLE + height + GAP // 2)
        page.text(x, y + TITLE / 2, title, size=10.5, room=width)
        page.picture(image, x, y + TITLE, width, height)


def _scale(page: _Page, colours: str, low: str, high: str, y: float) -> None:
    length = 110
    right, _ = page.text(WIDTH - MARGIN, y, high, size=10.5, align="right", color=FADED)
    ramp = matplotlib.colormaps[colours](np.linspace(0, 1, 256)[None], bytes=True)[..., :3]
    page.picture(ramp, right - 8 - length, y - 6, length, 12)
    page.text(right - length - 16, y, low, size=10.5, align="right", color=FADED)


def _legend(page: _Page, classes: Classes) -> None:
    x, y = WIDTH - MARGIN, HEADING * 0.65
    for name, class_id in reversed(classes.foreground.items()):
        left, _ = page.text(x, y, name, size=11, align="right")
        page.picture(classes.palette[class_id][None, None], left - 23, y - 7, 15, 15)
        x = round(left) - 45
