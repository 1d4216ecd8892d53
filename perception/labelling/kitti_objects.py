# SPDX-License-Identifier: Apache-2.0
"""The instances of a frame as a label_2 file of KITTI's object layout, in the form of results, which have a score."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from perception.classes import Classes
from perception.frame import INSTANCE_STEP, Prediction
from perception.instances import extents
from perception.objects import Object

MISC = "Misc"
"""The type of classes that KITTI's types do not name."""

UNKNOWN = "-1 -1 -1 -1000 -1000 -1000 -10"
"""Size, place and yaw where there is no box, as KITTI's development kit takes them."""


def label_lines(prediction: Prediction, objects: Sequence[Object]) -> str:
    """A line for each instance: with its box in the image, and that in 3D where it was measured.

    prediction: with instances, of the image that came in. objects: of its frame. A class is written as the first of
    KITTI's types that it takes: a vehicle is a Car. Truncation and occlusion are −1, unknown. Places are in the frame
    of the camera that was labelled, which in KITTI is not always camera 0.
    """
    instances = prediction.instances
    if instances is None:
        return ""
    boxes = {each.code: each for each in objects}
    totals = np.bincount(instances.ravel(), prediction.confidence.ravel())
    found, lines = extents(instances), []
    for code, (left, top, right, bottom), area in zip(*(each.tolist() for each in found), strict=True):
        box, score = boxes.get(code), float(totals[code]) / area / 255
        kind = _type(prediction.classes, code // INSTANCE_STEP)
        alpha, rest = (-10.0, UNKNOWN) if box is None else (_alpha(box), _placed(box))
        image = f"{left:.2f} {top:.2f} {right + 1:.2f} {bottom + 1:.2f}"
        lines.append(f"{kind} -1 -1 {alpha:.4f} {image} {rest} {score:.4f}\n")
    return "".join(lines)


def _type(classes: Classes, class_id: int) -> str:
    kinds = classes.rows[class_id].takes.get("kitti-boxes", ())
    return str(kinds[0]) if kinds else MISC


def _alpha(box: Object) -> float:
    """The yaw as the camera sees it."""
    x, _, z = box.centre.tolist()
    return math.remainder(box.yaw - math.atan2(x, z), 2 * math.pi)


def _placed(box: Object) -> str:
    """Height, width and length, the middle of the floor, and yaw."""
    length, width, height = box.size
    x, y, z = (box.centre - box.rotation[:, 2] * height / 2).tolist()
    return f"{height:.3f} {width:.3f} {length:.3f} {x:.3f} {y:.3f} {z:.3f} {box.yaw:.4f}"
