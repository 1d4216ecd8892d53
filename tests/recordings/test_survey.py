# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers import rigs

from perception.assembly.settings.topics import INPUT_TYPES
from perception.bags.raw import RawBagWriter, RawMessage, header, make, raw
from perception.bags.writer import TYPES
from perception.recordings.survey import Seen, describe, survey_recording


def read(message: RawMessage) -> object:
    return TYPES.deserialize_cdr(message.data, message.type)


def test_every_topic_of_a_bag_is_described(tmp_path: Path) -> None:
    found = survey_recording(rigs.write(tmp_path / "bag", rigs.lidar))
    seen = {each.topic: each for each in found.seen}
    assert [each.topic for each in found.seen] == sorted(seen)
    image, cloud, info = seen["/front/image_rect"], seen["/ouster/points"], seen["/front/camera_info"]
    assert (image.size, info.size) == ((96, 64), (96, 64))
    assert image.depth_m is None
    assert cloud.fields[:3] == ("x", "y", "z")
    assert cloud.rate_hz == pytest.approx(10.0)  # three messages in 0.2 s
    assert found.mounts is not None
    mount = found.mounts.lookup(image.frame, cloud.frame)
    assert mount is not None
    np.testing.assert_allclose(mount, rigs.LIDAR_TO_CAMERA, atol=1e-9)
    assert set(seen) <= set(found.topics)


def test_what_no_input_takes_is_a_topic_and_not_seen(tmp_path: Path) -> None:
    with RawBagWriter(tmp_path / "bag") as writer:
        writer.write(raw("/said", "std_msgs/msg/String", 5, {"data": "hello"}))
        writer.write(rigs.image("/image", rigs.frames(1)[0], "camera", np.zeros((4, 6, 3), np.uint8), "rgb8"))
    found = survey_recording(tmp_path / "bag")
    assert set(found.topics) == {"/said", "/image"}
    (image,) = found.seen
    assert image.rate_hz is None  # of one message nobody knows it
    assert (image.encoding, image.size, image.frame) == ("rgb8", (6, 4), "camera")


@pytest.mark.parametrize(
    ("pixels", "encoding", "metres"),
    [
        (np.array([[1.0, np.nan, 3.0, 11.0]], np.float32), "32FC1", 3.0),
        (np.array([[0, 2000, 4000, 9000]], np.uint16), "16UC1", 4.0),  # millimetres, 0 unknown
        (np.full((1, 4), np.nan, np.float32), "32FC1", None),
        (np.full((1, 4), 7, np.uint8), "mono8", None),
    ],
)
def test_depth_is_in_metres_as_the_node_reads_it(pixels: np.ndarray, encoding: str, metres: float | None) -> None:
    message = rigs.image("/depth", rigs.frames(1)[0], "camera", pixels, encoding)
    assert describe("/depth", message.type, 9.0, read(message)).depth_m == metres


@pytest.mark.parametrize(
    ("format_", "encoding", "codec"),
    [
        ("bgr8; jpeg compressed bgr8", "bgr8", "jpeg compressed bgr8"),
        ("16UC1; compressedDepth png", "16UC1", "compressedDepth png"),
        ("jpeg", "", "jpeg"),
    ],
)
def test_encoding_and_codec_of_compressed_images(format_: str, encoding: str, codec: str) -> None:
    kind = INPUT_TYPES["image/compressed"]
    message = make(kind, header=header(5, "c"), format=format_, data=np.zeros(4, np.uint8))
    found = describe("/image/compressed", kind, None, message)
    assert (found.encoding, found.codec, found.frame) == (encoding, codec, "c")


def test_a_transport_s_suffix_is_not_part_of_the_name() -> None:
    packed, image = INPUT_TYPES["image/compressed"], INPUT_TYPES["image"]
    assert Seen("/left/image/compressed", packed).base == "/left/image"
    assert Seen("/left/depth/compressedDepth", packed).base == "/left/depth"
    assert Seen("/left/compressed", image).base == "/left/compressed"
