# SPDX-License-Identifier: Apache-2.0
"""CVAT's XML, checked against what docs.cvat.ai publishes of it (XML annotation format, version 1.1)."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.fleet import every_class, scene, write_image

from perception.classes import CLASSES
from perception.datasets.annotated.cvat import CvatFolder, annotations_xml
from perception.datasets.registry import open_dataset
from perception.errors import DataError

NUMBER, COLOUR, LIST = r"\d+", r"#[0-9a-f]{6}", r"\d+(, \d+)*"
PUBLISHED = {
    "annotations": ({}, {"version", "meta", "image"}),
    "meta": ({}, {"task"}),
    "task": ({}, {"id", "name", "size", "mode", "overlap", "bugtracker", "labels"}),
    "labels": ({}, {"label"}),
    "label": ({}, {"name", "color", "type", "attributes"}),
    "image": ({"id": NUMBER, "name": ".+", "width": NUMBER, "height": NUMBER}, {"mask"}),
    "mask": (
        {
            "label": ".+", "source": "auto|manual", "occluded": "0|1", "rle": LIST, "left": NUMBER, "top": NUMBER,
            "width": NUMBER, "height": NUMBER, "z_order": r"-?\d+",
        },
        set(),
    ),
}  # fmt: skip
"""By element: the patterns of its attributes, all of which it has, and the elements in it. Others have text alone."""

DISC = "3, 5, 7, 7, 5, 9, 3, 11, 2, 11, 2, 12, 1, 12, 1, 26, 1, 12, 1, 12, 2, 11, 3, 9, 5, 7, 7, 5, 3"
"""The run lengths of the document's example, of 13 × 15 pixels."""


def check(element: ElementTree.Element) -> None:
    attributes, inside = PUBLISHED.get(element.tag, ({}, set()))
    assert element.attrib.keys() == attributes.keys(), element.tag
    for name, pattern in attributes.items():
        assert re.fullmatch(pattern, element.attrib[name]), (element.tag, name, element.attrib[name])
    assert {each.tag for each in element} <= inside, element.tag
    for each in element:
        check(each)


def test_it_is_as_published() -> None:
    xml = annotations_xml("task", [("a.png", every_class()), ("b.png", scene())], CLASSES)
    root = ElementTree.fromstring(xml)
    check(root)
    assert root.findtext("version") == "1.1"
    assert [root.findtext(f"meta/task/{name}") for name in ("size", "mode")] == ["2", "annotation"]
    names = [label.text for label in root.iterfind("meta/task/labels/label/name")]
    assert names == ["road", "vehicle", "pedestrian", "unlabelled"]
    for image in root.iter("image"):
        for mask in image:
            assert mask.attrib["label"] in names
            lengths = [int(each) for each in mask.attrib["rle"].split(",")]
            assert sum(lengths) == int(mask.attrib["width"]) * int(mask.attrib["height"])


def read(tmp_path: Path, shapes: str, head: str = "") -> np.ndarray:
    """The labels of an image with those elements."""
    write_image(tmp_path / "images/a.png")
    image = f'<image id="0" name="a.png" width="96" height="64">{shapes}</image>'
    text = f"<annotations><version>1.1</version>{head}{image}</annotations>"
    (tmp_path / "annotations.xml").write_text(text)
    (sample,) = open_dataset("cvat", tmp_path)
    assert sample.labels is not None
    return sample.labels


def test_the_example_of_the_document_is_a_disc(tmp_path: Path) -> None:
    mask = f'<mask label="vehicle" occluded="0" rle="{DISC}" left="70" top="40" width="13" height="15" z_order="0"/>'
    labels = read(tmp_path, mask)
    disc = labels[40:55, 70:83] == 2
    assert labels.astype(bool).sum() == disc.sum() == sum(int(each) for each in DISC.split(",")[1::2])
    assert disc.sum(axis=1).tolist() == [5, 7, 9, 11, 11, 12, 12, 13, 13, 12, 12, 11, 9, 7, 5]


def test_polygons_cover_in_the_order_of_z(tmp_path: Path) -> None:
    over = '<polygon label="vehicle" points="10,10;20,10;20,20;10,20" z_order="1"/>'
    under = '<polygon label="road" points="5.00,5.00;30.00,5.00;30.00,30.00;5.00,30.00" z_order="0"/>'
    labels = read(tmp_path, f'{over}{under}<tag label="rainy"/>')
    assert [int((labels == number).sum()) for number in (1, 2)] == [625 - 100, 100]
    assert (labels[10:20, 10:20] == 2).all()


@pytest.mark.parametrize(
    ("shape", "word"),
    [
        ('<box label="vehicle" xtl="1" ytl="1" xbr="5" ybr="5"/>', "vehicle is a box, which is no mask"),
        ('<mask label="road" rle="1, x" left="0" top="0" width="2" height="2"/>', "image a: invalid literal"),
        ('<mask label="road" rle="1, 3" left="95" top="0" width="2" height="2"/>', "is not inside of 96×64"),
        ('<mask label="road" rle="1, 9" left="0" top="0" width="2" height="2"/>', "run lengths of 10 pixels, expe"),
        ('<polygon label="road" points="1,1;2,2"/>', "a polygon of 2 corners"),
        ('<mask rle="1, 3" left="0" top="0" width="2" height="2"/>', "label"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, shape: str, word: str) -> None:
    with pytest.raises(DataError, match=word):
        read(tmp_path, shape)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("<annotations><version>1.0</version></annotations>", "not CVAT's XML 1.1"),
        ("<annotations><version>1.1</version><track/></annotations>", "tracks of a video"),
        ("<annotations>", "not valid XML"),
        (
            '<annotations><version>1.1</version><image name="x/a.png" width="1" height="1"/>'
            '<image name="y/a.png" width="1" height="1"/></annotations>',
            "two images are called a",
        ),
    ],
)
def test_another_file_is_refused(tmp_path: Path, text: str, word: str) -> None:
    write_image(tmp_path / "images/a.png")
    (tmp_path / "annotations.xml").write_text(text)
    with pytest.raises(DataError, match=word):
        CvatFolder(tmp_path)
