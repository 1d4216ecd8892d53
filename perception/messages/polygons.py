# SPDX-License-Identifier: Apache-2.0
"""The outlines of the masks as polygons, also in the form of visualization_msgs/ImageMarker."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes

TOLERANCE = 1.0
"""How far [pixels] an outline may be off the border of its mask: it saves most of the corners."""

SMALLEST = 9.0
"""The area [pixels] within the smallest outline; speckles have none."""

LINE_WIDTH = 2.0
"""Of the lines [pixels]."""

_LINE_LIST = 2
"""visualization_msgs/ImageMarker.LINE_LIST: every two points are a line."""


class Outline(NamedTuple):
    """The border of one area of a class, or of a hole in it.

    corners: (K, 2) int32 pixel coordinates u, v, centres at integers; the last is joined to the first.
    """

    class_id: int
    corners: NDArray[np.int32]


def outlines(labels: NDArray[np.uint8], classes: Classes = CLASSES) -> list[Outline]:
    """The outlines in (H, W) class ids, of the classes that have a mask, in their order."""
    found = []
    for class_id in classes.foreground.values():
        mask = np.equal(labels, class_id).view(np.uint8)
        contours, _ = cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)
        for contour in contours:
            if cv2.contourArea(contour) >= SMALLEST:
                corners = cv2.approxPolyDP(contour, TOLERANCE, closed=True)
                found.append(Outline(class_id, np.asarray(corners, np.int32).reshape(-1, 2)))
    return found


def marker_fields(
    found: Sequence[Outline], point: Callable[..., Any], colour: Callable[..., Any], classes: Classes = CLASSES
) -> dict[str, Any]:
    """The fields of one ImageMarker with all outlines in the colours of their classes, except its header.

    point, colour: the classes Point and ColorRGBA, rclpy's or rosbags'.
    """
    paints = [
        colour(**dict(zip("rgba", (*(rgb / 255).tolist(), 1.0), strict=True)))
        for rgb in classes.palette[: len(classes)]
    ]
    points: list[Any] = []
    colours: list[Any] = []
    for class_id, line in found:
        corners = [point(x=float(u), y=float(v), z=0.0) for u, v in line.tolist()]
        for start, end in zip(corners, [*corners[1:], corners[0]], strict=True):
            points += start, end
        colours += [paints[class_id]] * len(corners)
    return {
        "ns": "masks",
        "type": _LINE_LIST,
        "scale": LINE_WIDTH,
        "outline_color": paints[0],
        "points": points,
        "outline_colors": colours,
    }
