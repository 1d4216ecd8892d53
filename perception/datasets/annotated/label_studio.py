# SPDX-License-Identifier: Apache-2.0
"""Label Studio's JSON of tasks, with brush masks as predictions (labelstud.io, task format and BrushLabels)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.datasets.annotated.brush import packed, unpacked
from perception.datasets.annotated.folder import AnnotatedFolder, Annotations, Marked, Shape
from perception.datasets.annotated.masks import Mask, colour_of, marked_classes, of_polygon, regions
from perception.datasets.io.files import read_text
from perception.errors import DataError

LOCAL_FILES = "/data/local-files/?d="
"""Where Label Studio serves the files below its LABEL_STUDIO_LOCAL_FILES_DOCUMENT_ROOT."""

IMAGE, LABEL, REASON = "image", "label", "reason"
"""The names of the tags in the labelling configuration."""

CONFIG = "label_studio_config.xml"


class Task(NamedTuple):
    """An image to be marked: its file below the document root, why it was chosen, and its (H, W) class ids."""

    file: str
    reason: str
    labels: NDArray[np.uint8]


def labelling_config(classes: Classes) -> str:
    """The labelling configuration (XML) of a project for these tasks."""
    view = ElementTree.Element("View")
    ElementTree.SubElement(view, "Text", {"name": REASON, "value": f"${REASON}"})
    ElementTree.SubElement(view, "Image", {"name": IMAGE, "value": f"${IMAGE}", "zoom": "true"})
    brush = ElementTree.SubElement(view, "BrushLabels", {"name": LABEL, "toName": IMAGE})
    for label in marked_classes(classes):
        ElementTree.SubElement(brush, "Label", {"value": label, "background": colour_of(label, classes)})
    ElementTree.indent(view, " ")
    return ElementTree.tostring(view, "unicode") + "\n"


def tasks(images: Iterable[Task], classes: Classes, model: str) -> list[dict[str, Any]]:
    """The tasks with the masks as predictions of `model`, which the annotator corrects."""
    return [
        {
            "data": {IMAGE: LOCAL_FILES + quote(each.file), REASON: each.reason},
            "predictions": [
                {
                    "model_version": model,
                    "result": [
                        _result(f"{number}-{place}", region.label, region.mask)
                        for place, region in enumerate(regions(each.labels, classes))
                    ],
                }
            ],
        }
        for number, each in enumerate(images)
    ]


class LabelStudioFolder(AnnotatedFolder):
    """A folder with Label Studio's export as JSON, named project-…json: brushes and polygons of the annotations.

    Predictions that nobody submitted do not count. Of several annotations, that marked as ground truth counts, else the
    last.
    """

    FILES = ("project-*.json",)

    @staticmethod
    def _read_file(path: Path) -> Annotations:
        images: dict[str, Marked] = {}
        try:
            for task in json.loads(read_text(path)):
                name = _name(task["data"])
                if name in images:
                    raise DataError(f"{path}: two tasks have an image called {name}")
                images[name] = _marked(task["annotations"])
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}: not Label Studio's JSON of tasks, exported as JSON: {error!r}") from error
        config = path.with_name(CONFIG)
        labels = re.findall(r'<Label value="([^"]+)"', read_text(config)) if config.is_file() else ()
        return Annotations(frozenset(labels), images)


def _result(key: str, label: str, mask: Mask) -> dict[str, Any]:
    height, width = mask.shape
    return {
        "id": key,
        "type": "brushlabels",
        "from_name": LABEL,
        "to_name": IMAGE,
        "original_width": width,
        "original_height": height,
        "image_rotation": 0,
        "value": {"format": "rle", "rle": packed(mask), "brushlabels": [label]},
    }


def _name(data: Mapping[str, Any]) -> str:
    """An image's name without folders and suffix; an upload has eight hexadecimal digits before it."""
    where = urlsplit(str(data[IMAGE]))
    path = parse_qs(where.query).get("d", [unquote(where.path)])[0]
    return re.sub(r"^[0-9a-f]{8}-", "", PurePosixPath(path).stem)


def _marked(annotations: list[Mapping[str, Any]]) -> Marked:
    given = [each for each in annotations if not each.get("was_cancelled")]
    if not given:
        return Marked((0, 0), [])
    chosen = next((each for each in given if each.get("ground_truth")), given[-1])
    found = [result for result in chosen["result"] if "original_width" in result]  # others are of the whole task
    sizes = {(int(each["original_width"]), int(each["original_height"])) for each in found}
    if len(sizes) > 1:
        raise ValueError(f"an image of several sizes: {sorted(sizes)}")
    return Marked(next(iter(sizes), (0, 0)), [_shape(each) for each in found])


def _shape(result: Mapping[str, Any]) -> Shape:
    kind, value = result["type"], result["value"]
    if kind not in ("brushlabels", "polygonlabels"):
        raise ValueError(f"a region of {kind}, which is no mask; use brushlabels or polygonlabels")
    if result.get("image_rotation"):
        raise ValueError("an image that was rotated; turn it back")
    (label,) = value[kind]
    if kind == "polygonlabels":
        return Shape(label, partial(_of_percent, [number for point in value["points"] for number in point]))
    return Shape(label, partial(unpacked, value["rle"]))


def _of_percent(corners: list[float], height: int, width: int) -> Mask:
    points = np.asarray(corners, np.float64).reshape(-1, 2) * (width / 100, height / 100)
    return of_polygon(points.ravel().tolist(), height, width)
