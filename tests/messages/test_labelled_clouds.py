# SPDX-License-Identifier: Apache-2.0
"""The node's clouds, written and read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.bags.raw import header
from perception.bags.writer import TYPES
from perception.errors import MessageError
from perception.messages.convert import cloud_fields, numpy_fields
from perception.messages.labelled_clouds import read_labelled

POINTS = np.random.default_rng(0).uniform(-10, 10, (50, 4)).astype(np.float32)
LABELS = np.array([0, 1, 2, 3, 255] * 10, np.uint8)


def cloud(labels: np.ndarray | None = LABELS, **changes: Any) -> Any:
    colours = None if labels is None else np.zeros((len(labels), 3), np.uint8)
    fields = cloud_fields(POINTS, TYPES.types["sensor_msgs/msg/PointField"], labels, colours)
    fields = {**numpy_fields(fields), **changes}
    return TYPES.types["sensor_msgs/msg/PointCloud2"](header=header(0, "lidar"), **fields)


def test_points_and_labels_come_back() -> None:
    points, labels = read_labelled(cloud())
    np.testing.assert_array_equal(points, POINTS[:, :3])
    np.testing.assert_array_equal(labels, LABELS)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (cloud(labels=None), "no 'label' of datatype 4"),
        (cloud(width=51), "data: 1400 bytes"),
        (cloud(point_step=14, width=100), "fields: "),
    ],
)
def test_others_are_refused_with_the_reason(message: Any, reason: str) -> None:
    with pytest.raises(MessageError, match=reason):
        read_labelled(message)
