# SPDX-License-Identifier: Apache-2.0
"""The chosen frames as a page: image, masks, and why."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.reporting.page import Figure, Page, Picture, Table, photograph
from perception.reporting.provenance import versions
from perception.reporting.visualise import captioned, overlay
from perception.selection.report import Chosen, SelectReport

WIDTH = 1240
"""Pixels of a picture across."""

MOST = 200
"""Frames with a picture: a browser shows a page of some 50 MB."""

DOUBT = (255, 225, 0)
"""What is unsure or flickers."""


def picture(
    image: NDArray[np.uint8], labels: NDArray[np.uint8], doubt: NDArray[np.bool_] | None, classes: Classes
) -> NDArray[np.uint8]:
    """The image, RGB or grey, and the same with masks, doubtful pixels in yellow; one below the other if it is wide."""
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    masked = overlay(image, labels, classes=classes)
    if doubt is not None:
        masked[doubt] = (0.35 * masked[doubt] + 0.65 * np.array(DOUBT)).astype(np.uint8)
    height, width = labels.shape
    wide = width > 2 * height
    across = WIDTH if wide else WIDTH // 2
    size = across, round(across * height / width)
    small = [np.asarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA), np.uint8) for each in (image, masked)]
    name = "masks" if doubt is None else "masks; yellow: unsure or flickering"
    both = captioned(small[0], "image"), captioned(small[1], name)
    return np.vstack(both) if wide else np.hstack(both)


def figure(chosen: Chosen, image: NDArray[np.uint8]) -> Figure:
    """A chosen frame's picture with its reasons."""
    return photograph(Picture(image, f"{chosen.rank}. {chosen.image} — {'; '.join(chosen.reasons)}."))


def page(report: SelectReport, pictures: list[Figure]) -> Page:
    """The page of a run."""
    rows = [(each.rank, each.image, f"{each.score:.1f}", "; ".join(each.reasons)) for each in report.chosen]
    drives: dict[str, int] = {}
    for each in report.chosen:
        drives[each.input] = drives.get(each.input, 0) + 1
    return Page(
        title=f"{len(report.chosen)} frames to label",
        lead=(
            f"Of {report.frames} labelled frames of {report.drives} recordings: where sensors disagree, the network is "
            "unsure, classes are rare or masks flicker, and which are unlike each other."
        ),
        notes=[*report.notes, *([f"The first {MOST} have pictures."] if len(report.chosen) > MOST else ())],
        tiles=[
            ("frames chosen", str(len(report.chosen))),
            ("frames looked at", str(report.frames)),
            ("recordings", f"{len(drives)} of {report.drives}"),
        ],
        pictures=pictures,
        tables=[
            Table("Chosen frames", rows, ("rank", "image", "score", "why"), prose=True),
            Table("By recording", list(drives.items())),
            Table("Frames measured", list(report.measured.items())),
            Table("Frames that hold a class", [(name, f"{share:.1%}") for name, share in report.holding.items()]),
        ],
        provenance={"model": report.model, **versions()},
    )
