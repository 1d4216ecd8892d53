# SPDX-License-Identifier: Apache-2.0
"""COCO's JSON, checked by COCO's own code and against what cocodataset.org publishes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.fleet import every_class, scene, write_image
from jsonschema import validate
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from perception.classes import CLASSES
from perception.datasets.annotated.coco import instances
from perception.datasets.registry import open_dataset
from perception.errors import DataError

WHOLE = {"type": "integer", "minimum": 0}
PUBLISHED = {
    "type": "object",
    "required": ["info", "images", "annotations", "licenses", "categories"],
    "properties": {
        "info": {"type": "object"},
        "licenses": {"type": "array"},
        "images": {
            "type": "array",
            "items": {
                "required": ["id", "width", "height", "file_name"],
                "properties": {"id": WHOLE, "width": WHOLE, "height": WHOLE, "file_name": {"type": "string"}},
            },
        },
        "annotations": {
            "type": "array",
            "items": {
                "required": ["id", "image_id", "category_id", "segmentation", "area", "bbox", "iscrowd"],
                "properties": {
                    "area": {"type": "number", "exclusiveMinimum": 0},
                    "bbox": {"type": "array", "minItems": 4, "maxItems": 4, "items": {"type": "number"}},
                    "iscrowd": {"const": 1},
                    "segmentation": {
                        "required": ["counts", "size"],
                        "properties": {
                            "counts": {"type": "array", "items": WHOLE},
                            "size": {"type": "array", "minItems": 2, "maxItems": 2, "items": WHOLE},
                        },
                    },
                },
            },
        },
        "categories": {"type": "array", "items": {"required": ["id", "name", "supercategory"]}},
    },
}
"""With run lengths, which are for iscrowd 1."""

IMAGES = [("a.png", every_class()), ("b.png", scene(3))]


def write(tmp_path: Path, content: Any) -> Path:
    """A folder as CVAT exports it."""
    for number, (file, _) in enumerate(IMAGES):
        write_image(tmp_path / "images" / file, number)
    (tmp_path / "annotations").mkdir()
    (tmp_path / "annotations/instances_default.json").write_text(json.dumps(content))
    return tmp_path


def test_it_is_as_published_and_coco_s_own_code_reads_it() -> None:
    content = json.loads(json.dumps(instances("test", IMAGES, CLASSES)))
    validate(content, PUBLISHED)
    coco = COCO()
    coco.dataset = content
    coco.createIndex()
    for number, (_, labels) in enumerate(IMAGES, start=1):
        again = np.zeros_like(labels)
        for each in coco.loadAnns(coco.getAnnIds(imgIds=number)):
            mask = coco.annToMask(each).astype(bool)
            assert mask.sum() == each["area"]
            assert list(coco_mask.toBbox(coco.annToRLE(each))) == each["bbox"]
            again[mask] = each["category_id"]
        np.testing.assert_array_equal(again, labels)
    assert [each["name"] for each in coco.loadCats([1, 255])] == ["road", "unlabelled"]


def compressed(content: Any) -> None:
    for each in content["annotations"]:
        packed = coco_mask.frPyObjects(each["segmentation"], *each["segmentation"]["size"])
        each["segmentation"] = {"size": packed["size"], "counts": packed["counts"].decode()}


@pytest.mark.parametrize("change", [lambda content: None, compressed], ids=["counts", "compressed"])
def test_masks_come_back(tmp_path: Path, change: Any) -> None:
    content = instances("test", IMAGES, CLASSES)
    change(content)
    samples = open_dataset("coco", write(tmp_path, content))
    for sample, (file, labels) in zip(samples, IMAGES, strict=True):
        assert f"{sample.name}.png" == file
        np.testing.assert_array_equal(sample.labels, labels)


def test_polygons_are_read(tmp_path: Path) -> None:
    content = instances("test", IMAGES, CLASSES)
    squares = [[1, 1, 5, 1, 5, 5, 1, 5], [10, 10, 12, 10, 12, 12, 10, 12]]
    content["annotations"] = [{"id": 1, "image_id": 1, "category_id": 2, "segmentation": squares, "iscrowd": 0}]
    first, second = open_dataset("coco", write(tmp_path, content))
    assert first.labels is not None
    assert int((first.labels == 2).sum()) == int(first.labels.astype(bool).sum()) == 16 + 4
    assert second.labels is None


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"segmentation": []}, "vehicle is a box, which is no mask"),
        ({"segmentation": {"counts": [1]}}, "run lengths without counts or size"),
        ({"segmentation": {"counts": [6144], "size": [96, 64]}}, r"run lengths of \[96, 64\] \(height, width\), expec"),
        ({"segmentation": {"counts": "13", "size": [64, 96]}}, "run lengths of 4 pixels, expected 6144"),
        ({"category_id": 77}, "KeyError"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, change: Any, word: str) -> None:
    content = instances("test", IMAGES, CLASSES)
    content["annotations"] = [{**content["annotations"][0], "category_id": 2, **change}]
    with pytest.raises(DataError, match=word):
        open_dataset("coco", write(tmp_path, content))[0]


def test_another_file_is_refused(tmp_path: Path) -> None:
    wrong: tuple[Any, ...] = ([], {"images": []})
    for content in wrong:
        with pytest.raises(DataError, match="not COCO's JSON with masks"):
            open_dataset("coco", write(tmp_path / str(len(content)), content))
