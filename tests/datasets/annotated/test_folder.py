# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.fleet import every_class, scene, write_image

from perception.classes import CLASSES, UNLABELLED
from perception.datasets.annotated.cvat import CvatFolder, annotations_xml
from perception.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three images, of which CVAT's file has masks for two."""
    for number, name in enumerate(("a", "b", "c")):
        write_image(tmp_path / f"images/{name}.png", number)
    empty = np.zeros_like(scene())
    images = (("a.png", every_class()), ("folder/b.jpg", scene(5)), ("c.png", empty))
    (tmp_path / "annotations.xml").write_bytes(annotations_xml("test", images, CLASSES))
    return tmp_path


def test_masks_come_back_and_what_has_none_is_not_labelled(root: Path) -> None:
    first, second, third = CvatFolder(root)
    assert first.labels is not None
    assert second.labels is not None
    np.testing.assert_array_equal(first.labels, every_class())
    np.testing.assert_array_equal(second.labels, scene(5))
    assert third.labels is None, "perhaps nobody looked at it"
    assert (first.name, first.frame.modalities) == ("a", ("rgb",))


def test_the_file_may_be_named_itself_and_lie_in_annotations(root: Path) -> None:
    (root / "annotations").mkdir()
    path = (root / "annotations.xml").rename(root / "annotations/mine.xml")
    assert len(CvatFolder(path)) == 3
    with pytest.raises(DataError, match=r"expected one of annotations\.xml, found none: name the file"):
        CvatFolder(root)
    with pytest.raises(DataError, match="unpack it"):
        CvatFolder(root / "export.zip")


def test_labels_of_other_names_are_what_classes_yaml_says(root: Path) -> None:
    path = root / "annotations.xml"
    path.write_text(path.read_text().replace("pedestrian", "person"))
    with pytest.raises(DataError, match=r"'person' is no class; the classes are background, .*'person: background'"):
        CvatFolder(root)
    (root / "classes.yaml").write_text("person: pedestrian\nvehicle: unlabelled\n")
    labels = CvatFolder(root)[0].labels
    expected = every_class()
    expected[expected == 2] = UNLABELLED
    np.testing.assert_array_equal(labels, expected)


@pytest.mark.parametrize(
    ("text", "word"),
    [("person: persn", "no class 'persn'"), ("- 1", "expected lines such as"), ("{", "not valid YAML")],
)
def test_a_wrong_map_is_refused(root: Path, text: str, word: str) -> None:
    (root / "classes.yaml").write_text(text)
    with pytest.raises(DataError, match=word):
        CvatFolder(root)


def test_what_may_hold_an_unknown_class_says_nothing(root: Path) -> None:
    """The file knows no sidewalk, which its background may hold."""
    more = CLASSES.extended([{"name": "sidewalk", "colour": (1, 2, 3), "within": "background"}])
    labels = CvatFolder(root, more)[0].labels
    expected = every_class()
    expected[expected == 0] = UNLABELLED
    np.testing.assert_array_equal(labels, expected)


def test_masks_of_another_size_are_refused(root: Path) -> None:
    write_image(root / "images/a.png")
    path = root / "annotations.xml"
    path.write_text(path.read_text().replace('name="a.png" width="96"', 'name="a.png" width="97"'))
    with pytest.raises(DataError, match="a was marked at 97×64, but its image has 96×64 pixels"):
        CvatFolder(root)[0]


def test_a_file_without_masks_is_refused(root: Path) -> None:
    images = [("a.png", np.zeros_like(scene()))]
    (root / "annotations.xml").write_bytes(annotations_xml("test", images, CLASSES))
    with pytest.raises(DataError, match="no mask for any image"):
        CvatFolder(root)
