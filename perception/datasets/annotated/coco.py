# SPDX-License-Identifier: Apache-2.0
"""COCO's JSON of instances with masks (cocodataset.org, data format), which most tools take and give."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.datasets.annotated.folder import AnnotatedFolder, Annotations, Marked, Shape
from perception.datasets.annotated.masks import (
    Mask,
    box_of,
    marked_classes,
    of_polygon,
    of_run_lengths,
    regions,
    run_lengths,
)
from perception.datasets.io.files import read_text
from perception.errors import DataError


def instances(name: str, images: Iterable[tuple[str, NDArray[np.uint8]]], classes: Classes) -> dict[str, Any]:
    """The JSON of some images: their file names, and (H, W) class ids. A category's id is that of its class.

    Masks are run lengths, which COCO has for regions that may hold several things (iscrowd 1).
    """
    content: dict[str, Any] = {
        "info": {"description": name, "version": "1.0"},
        "licenses": [],
        "images": [],
        "annotations": [],
        "categories": [
            {"id": number, "name": label, "supercategory": ""} for label, number in marked_classes(classes).items()
        ],
    }
    for number, (file, ids) in enumerate(images, start=1):
        height, width = ids.shape
        content["images"].append({"id": number, "file_name": file, "width": width, "height": height})
        for region in regions(ids, classes):
            content["annotations"].append(
                {
                    "id": len(content["annotations"]) + 1,
                    "image_id": number,
                    "category_id": marked_classes(classes)[region.label],
                    "segmentation": {"counts": run_lengths(region.mask.ravel(order="F")), "size": [height, width]},
                    "area": int(region.mask.sum()),
                    "bbox": list(box_of(region.mask)),
                    "iscrowd": 1,
                }
            )
    return content


class CocoFolder(AnnotatedFolder):
    """A folder with COCO's JSON where CVAT and Label Studio put it; polygons and run lengths, compressed or not."""

    FILES = ("annotations/instances_default.json", "result.json")

    @staticmethod
    def _read_file(path: Path) -> Annotations:
        try:
            content = json.loads(read_text(path))
            labels = {each["id"]: str(each["name"]) for each in content["categories"]}
            sizes = {each["id"]: (int(each["width"]), int(each["height"])) for each in content["images"]}
            names = {each["id"]: PurePosixPath(each["file_name"]).stem for each in content["images"]}
            shapes: dict[Any, list[Shape]] = {number: [] for number in sizes}
            for each in content["annotations"]:
                label = labels[each["category_id"]]
                shapes[each["image_id"]].append(Shape(label, partial(_mask, _segments(label, each["segmentation"]))))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(f"{path}: not COCO's JSON with masks: {error!r}") from error
        if len(set(names.values())) < len(names):
            raise DataError(f"{path}: two images have the same name; export their tasks one by one")
        images = {names[number]: Marked(sizes[number], shapes[number]) for number in sizes}
        return Annotations(frozenset(labels.values()), images)


def _segments(label: str, segmentation: Any) -> list[list[float]] | Mapping[str, Any]:
    if not segmentation:
        raise ValueError(f"{label} is a box, which is no mask; draw a mask or a polygon")
    if isinstance(segmentation, Mapping) and not {"counts", "size"} <= segmentation.keys():
        raise ValueError("run lengths without counts or size")
    kind: list[list[float]] | Mapping[str, Any] = segmentation
    return kind


def _mask(segmentation: list[list[float]] | Mapping[str, Any], height: int, width: int) -> Mask:
    """A mask by its polygons, or by run lengths, which go down the columns."""
    if isinstance(segmentation, list):
        return np.any([of_polygon(corners, height, width) for corners in segmentation], axis=0)
    if list(segmentation["size"]) != [height, width]:
        raise ValueError(f"run lengths of {segmentation['size']} (height, width), expected {[height, width]}")
    counts = segmentation["counts"]
    lengths = _decompressed(counts) if isinstance(counts, str) else counts
    return of_run_lengths(lengths, height * width).reshape(width, height).T


def _decompressed(text: str) -> list[int]:
    """COCO's compressed run lengths: five bits per character, and from the third on the difference to that before the
    last."""
    lengths: list[int] = []
    value = shift = 0
    for character in text.encode("ascii", "replace"):
        bits = character - 48
        value |= (bits & 0x1F) << shift
        shift += 5
        if not bits & 0x20:
            value |= -1 << shift if bits & 0x10 else 0
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value = shift = 0
    return lengths
