# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.rigs import LIDAR_TO_CAMERA, frames

from perception.bags.writer import TYPES, serialise
from perception.datasets.io.named_frames import NamedFrames
from perception.errors import DataError
from perception.frame import Frame
from perception.messages.stamps import read_stamp
from perception.recordings.messages import FrameMessages

FRAMES = frames(4)
T0 = FRAMES[0].stamp_ns
STEP = 100_000_000
SENSORS = ["/image", "/camera_info", "/points", "/depth", "/infrared"]


class Drive(NamedFrames):
    path = Path("drive")

    def __init__(self, frames: list[Frame]) -> None:
        self._frames = frames
        self.names = [f"{number}" for number in range(len(frames))]
        self.stamps_ns = [frame.stamp_ns for frame in frames]

    def read(self, index: int) -> Frame:
        return self._frames[index]


def test_every_frame_becomes_its_messages_in_the_order_of_time() -> None:
    source = FrameMessages(Drive(FRAMES))
    assert (source.start_ns, source.end_ns) == (T0, T0 + 3 * STEP)
    found = list(source.messages(SENSORS, source.start_ns, source.end_ns))
    assert found == [message for frame in FRAMES for message in serialise(frame)]
    assert all(read_stamp(each.data) == each.stamp_ns for each in found)
    counts = {name: topic.messages for name, topic in source.topics.items()}
    assert counts == {"/tf_static": 1, **dict.fromkeys(SENSORS, 4)}
    assert [name for name, topic in source.topics.items() if topic.latched] == ["/tf_static"]


@pytest.mark.parametrize(("first", "last", "numbers"), [(1, 2, [1, 2]), (0, 0, [0]), (1.5, 1.9, []), (3, 9, [3])])
def test_both_ends_are_included(first: float, last: float, numbers: list[int]) -> None:
    source = FrameMessages(Drive(FRAMES))
    found = list(source.messages(["/image"], T0 + round(first * STEP), T0 + round(last * STEP)))
    assert [(each.topic, (each.stamp_ns - T0) // STEP) for each in found] == [("/image", number) for number in numbers]


def test_the_mount_comes_once_before_everything() -> None:
    source = FrameMessages(Drive(FRAMES))
    found = list(source.messages(["/tf_static", "/image"], source.start_ns, source.end_ns))
    assert [each.topic for each in found] == ["/tf_static", *["/image"] * 4]
    (transform,) = TYPES.deserialize_cdr(found[0].data, found[0].type).transforms  # type: ignore[attr-defined]
    assert (transform.header.frame_id, transform.child_frame_id) == ("lidar", "camera")
    place = transform.transform.translation
    np.testing.assert_allclose([place.x, place.y, place.z], np.linalg.inv(LIDAR_TO_CAMERA)[:3, 3], atol=1e-12)
    assert "/tf_static" not in {each.topic for each in source.messages(["/tf_static"], T0 + STEP, T0 + 2 * STEP)}


def test_frames_without_a_lidar_have_no_mount() -> None:
    bare = [Frame(each.stamp_ns, rgb=each.rgb) for each in FRAMES]
    assert list(FrameMessages(Drive(bare)).topics) == ["/image"]


def test_no_frame_is_no_source() -> None:
    with pytest.raises(DataError, match="no frame"):
        FrameMessages(Drive([]))
