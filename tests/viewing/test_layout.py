# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("rerun")

import rerun as rr
from helpers.rerun_file import columns, rows

from perception.classes import CLASSES, UNLABELLED
from perception.labelling.clouds import OUTSIDE
from perception.viewing.layout import LABELS, SHARE, WEIGHTS, describe


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("layout") / "view.rrd"
    recording = rr.RecordingStream("test")
    recording.save(path)
    describe(recording)
    recording.disconnect()
    return path


def classes(path: Path, entity: str) -> dict[int, tuple[str, tuple[int, ...]]]:
    """Name and RGBA of each id, as an annotation has them."""
    (found,) = rows(path, entity, "AnnotationContext:context")
    infos: list[Any] = [each["class_description"]["info"] for each in found]
    return {each["id"]: (each["label"], tuple(int(each["color"]).to_bytes(4, "big"))) for each in infos}


def test_points_have_the_colours_of_their_classes(described: Path) -> None:
    found = classes(described, "/")
    assert set(found) == {*range(len(CLASSES)), UNLABELLED}
    for number, name in enumerate(CLASSES.names):
        assert found[number] == (name, (*CLASSES.palette[number].tolist(), 255))
    assert found[UNLABELLED][1] == (*OUTSIDE.tolist(), 255)


def test_on_the_image_what_has_no_mask_is_clear(described: Path) -> None:
    found = classes(described, f"/{LABELS}")
    alpha = {name: colour[3] for name, colour in found.values()}
    assert alpha == {"background": 0, "unlabelled": 0, "road": 255, "vehicle": 255, "pedestrian": 255}


def test_every_series_has_a_style_of_its_own(described: Path) -> None:
    names = set(columns(described))
    assert {f"/{SHARE}/{name}" for name in CLASSES.foreground} <= names
    assert {f"/{WEIGHTS}/{name}" for name in ("rgb", "depth", "infrared", "lidar", "radar")} <= names
