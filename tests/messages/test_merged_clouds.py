# SPDX-License-Identifier: Apache-2.0
"""Labelled clouds of several cameras → one: whose label a point gets, and which clouds are left out."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.merged_clouds import merge_clouds

CODES = {"f4": 7, "u4": 6, "u2": 4, "u1": 2}
PLAIN = [("x", "f4"), ("y", "f4"), ("z", "f4"), ("rgb", "u4"), ("label", "u2")]
SURE = [*PLAIN, ("class_id", "u1"), ("probability", "f4")]


def cloud(kind: list[tuple[str, str]], frame_id: str = "lidar", x: float = 0.0, **columns: Any) -> Any:
    """A PointCloud2 of these columns; x, y and z count up from `x`."""
    dtype = np.dtype(kind)
    count = len(columns["label"])
    records = np.zeros(count, dtype)
    for name, start in zip("xyz", (x, 0, 0), strict=True):
        records[name] = start + np.arange(count)
    for name, values in columns.items():
        records[name] = values
    fields = [
        SimpleNamespace(name=name, offset=dtype.fields[name][1], datatype=CODES[code], count=1) for name, code in kind
    ]
    return SimpleNamespace(
        header=SimpleNamespace(frame_id=frame_id),
        height=1,
        width=count,
        fields=fields,
        is_bigendian=False,
        point_step=dtype.itemsize,
        row_step=dtype.itemsize * count,
        is_dense=True,
        data=records.tobytes(),
    )


def column(fields: dict[str, Any], kind: list[tuple[str, str]], name: str) -> NDArray[Any]:
    return np.frombuffer(fields["data"], np.dtype(kind))[name]


def test_the_surer_camera_labels_a_point_and_every_field_comes_with_it() -> None:
    front = cloud(SURE, label=[1, 1, 255, 255], class_id=[1, 1, 255, 255], probability=[0.9, 0.4, 0, 0], rgb=[7] * 4)
    rear = cloud(SURE, label=[2, 2, 2, 255], class_id=[2, 2, 2, 255], probability=[0.5, 0.6, 0.1, 0], rgb=[9] * 4)
    fields, refused, labelled = merge_clouds({"front": front, "rear": rear})
    assert column(fields, SURE, "label").tolist() == [1, 2, 2, 255]
    assert column(fields, SURE, "class_id").tolist() == [1, 2, 2, 255]
    assert column(fields, SURE, "rgb").tolist() == [7, 9, 9, 7]
    np.testing.assert_allclose(column(fields, SURE, "probability"), [0.9, 0.6, 0.1, 0])
    assert (refused, labelled) == ({}, 3)
    assert (fields["width"], fields["header"].frame_id) == (4, "lidar")


def test_without_probabilities_the_first_camera_that_sees_a_point_labels_it() -> None:
    clouds = {"front": cloud(PLAIN, label=[255, 1, 255]), "rear": cloud(PLAIN, label=[2, 2, 255])}
    assert column(merge_clouds(clouds).fields, PLAIN, "label").tolist() == [2, 1, 255]


def test_a_probability_that_is_none_is_the_least() -> None:
    clouds = {
        "front": cloud(SURE, label=[1], probability=[np.nan]),
        "rear": cloud(SURE, label=[2], probability=[0.2]),
    }
    assert column(merge_clouds(clouds).fields, SURE, "label").tolist() == [2]


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (cloud(PLAIN, label=[2, 2]), "width: 2 points, not the 3 of front"),
        (cloud(PLAIN, label=[2, 2, 2], frame_id="other"), "header.frame_id: 'other' is not 'lidar' as of front"),
        (cloud(PLAIN, label=[2, 2, 2], x=0.6), "data: points up to 0.6 m from those of front"),
        (cloud(SURE, label=[2, 2, 2]), "fields: not those of front"),
        (cloud([*PLAIN[:3], ("label", "f4")], label=[2, 2, 2]), "expected x, y, z and label or class_id"),
    ],
)
def test_clouds_of_other_points_are_left_out(odd: Any, reason: str) -> None:
    merged = merge_clouds({"front": cloud(PLAIN, label=[1, 255, 255]), "rear": odd})
    assert list(merged.refused) == ["rear"]
    assert reason in merged.refused["rear"]
    assert column(merged.fields, PLAIN, "label").tolist() == [1, 255, 255]


def test_odometry_that_came_later_to_one_of_them_makes_no_other_points() -> None:
    clouds = {"front": cloud(PLAIN, label=[1, 255]), "rear": cloud(PLAIN, label=[255, 2], x=0.3)}
    assert column(merge_clouds(clouds).fields, PLAIN, "label").tolist() == [1, 2]


def test_the_fullest_cloud_is_the_measure() -> None:
    clouds = {"front": cloud(PLAIN, label=[1]), "left": cloud(PLAIN, label=[2, 2]), "rear": cloud(PLAIN, label=[3, 3])}
    merged = merge_clouds(clouds)
    assert list(merged.refused) == ["front"]
    assert column(merged.fields, PLAIN, "label").tolist() == [2, 2]


def test_nothing_to_merge_is_an_error() -> None:
    broken = cloud(PLAIN, label=[1])
    broken.data = broken.data[:-1]
    with pytest.raises(MessageError, match=r"front: data: 17 bytes, but 1 × 1 points of 18"):
        merge_clouds({"front": broken})
