# SPDX-License-Identifier: Apache-2.0
"""Label Studio's tasks, checked against what labelstud.io publishes (task format, predictions, BrushLabels)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from helpers.fleet import every_class, scene, write_image
from jsonschema import validate

from perception.classes import CLASSES
from perception.datasets.annotated.label_studio import CONFIG, Task, labelling_config, tasks
from perception.datasets.registry import open_dataset
from perception.errors import DataError

BRUSH = {
    "type": "object",
    "required": ["format", "rle", "brushlabels"],
    "properties": {
        "format": {"const": "rle"},
        "rle": {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": 255}},
        "brushlabels": {"type": "array", "minItems": 1, "items": {"type": "string"}},
    },
}
PUBLISHED = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["data"],
        "properties": {
            "data": {"type": "object", "required": ["image"], "additionalProperties": {"type": "string"}},
            "predictions": {
                "type": "array",
                "items": {
                    "type": "object",
                    "required": ["result"],
                    "properties": {
                        "model_version": {"type": "string"},
                        "score": {"type": "number"},
                        "result": {
                            "type": "array",
                            "items": {
                                "required": ["from_name", "to_name", "type", "value", "original_width"],
                                "properties": {
                                    "id": {"type": "string"},
                                    "type": {"const": "brushlabels"},
                                    "original_width": {"type": "integer"},
                                    "original_height": {"type": "integer"},
                                    "image_rotation": {"const": 0},
                                    "value": BRUSH,
                                },
                            },
                        },
                    },
                },
            },
        },
    },
}

IMAGES = {"0001_a b": every_class(), "0002_b": scene(3)}


def made() -> list[dict[str, Any]]:
    todo = [Task(f"images/{name}.png", f"why {name}", labels) for name, labels in IMAGES.items()]
    return json.loads(json.dumps(tasks(todo, CLASSES, "a_network")))


def submitted(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """As Label Studio exports the tasks when the annotator has submitted the predictions as they are."""
    for task in content:
        for each in task["predictions"]:
            task["annotations"] = [{"result": each["result"], "was_cancelled": False, "ground_truth": False}]
    return content


def write(tmp_path: Path, content: Any) -> Path:
    for number, name in enumerate(IMAGES):
        write_image(tmp_path / f"images/{name}.png", number)
    (tmp_path / "project-1-at-2026-11-29.json").write_text(json.dumps(content))
    return tmp_path


def test_it_is_as_published_and_fits_its_configuration() -> None:
    content = made()
    validate(content, PUBLISHED)
    config = ElementTree.fromstring(labelling_config(CLASSES))
    (brush,) = config.iter("BrushLabels")
    (image,) = config.iter("Image")
    labels = {label.attrib["value"] for label in brush}
    assert config.tag == "View"
    assert labels == {"road", "vehicle", "pedestrian", "unlabelled"}
    assert {tag.attrib["value"] for tag in (image, *config.iter("Text"))} == {f"${key}" for key in content[0]["data"]}
    for task in content:
        for result in task["predictions"][0]["result"]:
            assert (result["from_name"], result["to_name"]) == (brush.attrib["name"], image.attrib["name"])
            assert brush.attrib["toName"] == image.attrib["name"]
            assert set(result["value"]["brushlabels"]) <= labels
    assert content[0]["data"]["image"] == "/data/local-files/?d=images/0001_a%20b.png"


def test_submitted_masks_come_back(tmp_path: Path) -> None:
    samples = open_dataset("label-studio", write(tmp_path, submitted(made())))
    for sample, (name, labels) in zip(samples, IMAGES.items(), strict=True):
        assert sample.name == name
        np.testing.assert_array_equal(sample.labels, labels)


def test_what_nobody_submitted_is_not_labelled(tmp_path: Path) -> None:
    content = submitted(made())
    content[1]["annotations"][0]["was_cancelled"] = True
    (tmp_path / CONFIG).write_text(labelling_config(CLASSES))
    first, second = open_dataset("label-studio", write(tmp_path, content))
    assert (first.labels is None, second.labels is None) == (False, True)
    with pytest.raises(DataError, match="no mask for any image"):
        open_dataset("label-studio", write(tmp_path, [{**task, "annotations": []} for task in made()]))


def test_an_upload_and_polygons_in_per_cent(tmp_path: Path) -> None:
    points = [[25, 50], [50, 50], [50, 75], [25, 75]]
    region = {
        "type": "polygonlabels", "original_width": 96, "original_height": 64, "image_rotation": 0,
        "value": {"points": points, "polygonlabels": ["vehicle"]},
    }  # fmt: skip
    choice = {"type": "choices", "value": {"choices": ["rain"]}}
    older = {"result": [{**region, "value": {"points": points, "polygonlabels": ["road"]}}]}
    content = [
        {
            "data": {"image": "/data/upload/3/0a1b2c3d-0002_b.png"},
            "annotations": [{"result": [choice, region], "ground_truth": True}, older],
        }
    ]
    labels = open_dataset("label-studio", write(tmp_path, content))[1].labels
    assert labels is not None
    assert (labels[32:48, 24:48] == 2).all()
    assert int(labels.astype(bool).sum()) == 16 * 24


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"type": "rectanglelabels"}, "a region of rectanglelabels, which is no mask"),
        ({"image_rotation": 90}, "an image that was rotated"),
        ({"original_width": 97}, "an image of several sizes"),
    ],
)
def test_what_is_no_mask_is_refused(tmp_path: Path, change: Any, word: str) -> None:
    content = submitted(made())
    content[0]["annotations"][0]["result"][0] |= change
    with pytest.raises(DataError, match=word):
        open_dataset("label-studio", write(tmp_path, content))


def test_another_file_is_refused(tmp_path: Path) -> None:
    for content in ({"a": 1}, [{"data": {"image": "a.png"}}], [1], [*submitted(made()), *submitted(made())]):
        with pytest.raises(DataError, match=r"not Label Studio's JSON of tasks|two tasks have an image"):
            open_dataset("label-studio", write(tmp_path, content))
