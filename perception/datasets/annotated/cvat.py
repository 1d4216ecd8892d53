# SPDX-License-Identifier: Apache-2.0
"""CVAT for images 1.1: the XML that CVAT takes and gives (docs.cvat.ai, XML annotation format)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path, PurePosixPath
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from perception.classes import Classes
from perception.datasets.annotated.folder import AnnotatedFolder, Annotations, Marked, Shape
from perception.datasets.annotated.masks import (
    Mask,
    box_of,
    colour_of,
    marked_classes,
    of_polygon,
    of_run_lengths,
    regions,
    run_lengths,
)
from perception.datasets.io.files import read_text
from perception.errors import DataError

VERSION = "1.1"


def annotations_xml(name: str, images: Iterable[tuple[str, NDArray[np.uint8]]], classes: Classes) -> bytes:
    """The XML of a task with the masks of some images: their file names, and (H, W) class ids."""
    root = ElementTree.Element("annotations")
    _text(root, "version", VERSION)
    task = ElementTree.SubElement(ElementTree.SubElement(root, "meta"), "task")
    _text(task, "id", "0")
    _text(task, "name", name)
    size = ElementTree.SubElement(task, "size")
    _text(task, "mode", "annotation")
    _text(task, "overlap", "0")
    _text(task, "bugtracker", "")
    labels = ElementTree.SubElement(task, "labels")
    for label in marked_classes(classes):
        each = ElementTree.SubElement(labels, "label")
        _text(each, "name", label)
        _text(each, "color", colour_of(label, classes))
        _text(each, "type", "any")
        ElementTree.SubElement(each, "attributes")
    count = 0
    for file, ids in images:
        height, width = ids.shape
        fields = {"id": str(count), "name": file, "width": str(width), "height": str(height)}
        image = ElementTree.SubElement(root, "image", fields)
        for region in regions(ids, classes):
            ElementTree.SubElement(image, "mask", _fields(region.label, region.mask))
        count += 1
    size.text = str(count)
    ElementTree.indent(root, " ")
    return ElementTree.tostring(root, "utf-8", xml_declaration=True) + b"\n"


class CvatFolder(AnnotatedFolder):
    """A folder with annotations.xml, as CVAT exports it as `CVAT for images 1.1`: masks and polygons."""

    FILES = ("annotations.xml",)

    @staticmethod
    def _read_file(path: Path) -> Annotations:
        try:
            root = ElementTree.fromstring(read_text(path))
        except ElementTree.ParseError as error:
            raise DataError(f"{path}: not valid XML: {error}") from error
        if root.tag != "annotations" or root.findtext("version") != VERSION:
            raise DataError(f"{path}: not CVAT's XML {VERSION}; export as 'CVAT for images 1.1'")
        if root.find("track") is not None:
            raise DataError(f"{path}: has tracks of a video; export as 'CVAT for images 1.1'")
        images: dict[str, Marked] = {}
        for image in root.iter("image"):
            name = PurePosixPath(image.get("name", "")).stem
            if name in images:
                raise DataError(f"{path}: two images are called {name}; export their tasks one by one")
            try:
                size = int(image.attrib["width"]), int(image.attrib["height"])
                order = sorted(image, key=lambda shape: int(shape.get("z_order", 0)))
                images[name] = Marked(size, [_shape(shape) for shape in order if shape.tag != "tag"])
            except (KeyError, ValueError) as error:
                raise DataError(f"{path}: image {name}: {error}") from error
        return Annotations(frozenset(label.text or "" for label in root.iterfind("meta//labels/label/name")), images)


def _text(parent: ElementTree.Element, tag: str, text: str) -> None:
    ElementTree.SubElement(parent, tag).text = text


def _fields(label: str, mask: Mask) -> dict[str, str]:
    """A mask's attributes: run lengths by rows inside of its box."""
    left, top, width, height = box_of(mask)
    runs = run_lengths(mask[top : top + height, left : left + width].ravel())
    return {
        "label": label,
        "source": "auto",
        "occluded": "0",
        "rle": ", ".join(map(str, runs)),
        "left": str(left),
        "top": str(top),
        "width": str(width),
        "height": str(height),
        "z_order": "0",
    }


def _shape(element: ElementTree.Element) -> Shape:
    label = element.attrib["label"]
    if element.tag == "mask":
        box = [int(element.attrib[name]) for name in ("left", "top", "width", "height")]
        return Shape(label, partial(_in_box, [int(each) for each in element.attrib["rle"].split(",")], *box))
    if element.tag == "polygon":
        corners = [float(each) for each in element.attrib["points"].replace(";", ",").split(",")]
        return Shape(label, partial(of_polygon, corners))
    raise ValueError(f"{label} is a {element.tag}, which is no mask; draw a mask or a polygon")


def _in_box(runs: list[int], left: int, top: int, wide: int, high: int, height: int, width: int) -> Mask:
    if min(left, top) < 0 or left + wide > width or top + high > height:
        raise ValueError(f"a mask of {wide}×{high} at {left}, {top} is not inside of {width}×{height}")
    mask = np.zeros((height, width), np.bool_)
    mask[top : top + high, left : left + wide] = of_run_lengths(runs, wide * high).reshape(high, wide)
    return mask
