# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from helpers import rigs

from perception.assembly.settings.topic import Offer, Topic
from perception.bags.geometry import serialise_links
from perception.bags.raw import RawBagWriter, RawMessage
from perception.checking.scan import Heard, Scan, of_graph, scan
from perception.messages.stamps import with_stamp

T0 = 1_700_000_000_000_000_000
STEP = 100_000_000


def write(path: Path, messages: list[RawMessage]) -> Path:
    with RawBagWriter(path) as writer:
        for message in sorted(messages, key=lambda each: each.stamp_ns):
            writer.write(message)
    return path


def test_times_are_stamps_and_where_they_are_zero_arrivals() -> None:
    heard = Heard("/image", "image", "", (), [110, 210, 310, 410], [100, 0, 300, 400])
    assert heard.times_ns.tolist() == [100, 210, 300, 400]
    assert heard.sensor == "rgb"
    assert Heard("/i", "camera_info", "").sensor is None


def test_the_period_is_over_two_messages() -> None:
    """Jitter of ±20 ms on every other stamp of 100 ms cancels."""
    stamps = [T0 + number * STEP + (20_000_000 if number % 2 else 0) for number in range(9)]
    assert Heard("/i", "image", "", (), stamps, stamps).period_s == pytest.approx(0.1)
    assert np.isnan(Heard("/i", "image", "", (), stamps[:2], stamps[:2]).period_s)
    assert np.isnan(Heard("/i", "image", "", (), [T0] * 5, [T0] * 5).period_s)


def test_the_frame_is_that_of_most_messages() -> None:
    heard = Heard("/i", "image", "", frame_ids=Counter({"/camera": 3, "other": 1}))
    assert heard.frame_id == "camera"
    assert Heard("/i", "image", "").frame_id == ""


def test_the_topic_of_a_sensor_is_the_one_with_most_messages() -> None:
    plain = Heard("/image", "image", "", (), [T0], [T0])
    packed = Heard("/image/compressed", "image/compressed", "", (), [T0, T0 + 5 * STEP], [T0, T0])
    found = Scan(Path("bag"), heard={each.topic: each for each in (plain, packed, Heard("/points", "points", ""))})
    assert found.of("rgb") is packed
    assert list(found.sensors) == ["rgb"]  # of the LiDAR nothing came
    assert found.seconds == pytest.approx(0.5)
    assert Scan(Path("bag")).seconds == 0


def test_a_bag_is_read_for_times_frames_and_links(tmp_path: Path) -> None:
    """Arrived 30 ms after their stamps; the second image has no stamp; the camera_info changes once."""
    messages = [serialise_links("/tf_static", T0, [("base", "/lidar", np.eye(4)), ("lidar", "camera", np.eye(4))])]
    messages.append(serialise_links("/tf", T0, [("odom", "base", np.eye(4))]))
    for number, frame in enumerate(rigs.frames(4)):
        arrived = frame.stamp_ns + 30_000_000
        pixels = np.full((64, 96, 3), number, np.uint8)
        picture = rigs.image("/image", frame, "camera", pixels, "rgb8")._replace(stamp_ns=arrived)
        if number == 1:
            picture = picture._replace(data=with_stamp(picture.data, 0))
        messages.append(picture)
        info = rigs.info("/camera_info", frame, "camera" if number < 3 else "moved")
        messages.append(info._replace(stamp_ns=arrived))
    messages.append(rigs.odometry("/odometry", rigs.frames(1)[0]))
    found = scan(write(tmp_path / "bag", messages))
    heard = found.heard["/image"]
    assert (np.diff(heard.recorded_ns) == STEP).all()
    assert heard.stamps_ns == [T0, 0, T0 + 2 * STEP, T0 + 3 * STEP]
    assert heard.times_ns.tolist() == [T0, T0 + STEP + 30_000_000, T0 + 2 * STEP, T0 + 3 * STEP]
    assert [(parent, child) for parent, child, _ in found.links] == [("base", "lidar"), ("lidar", "camera")]
    assert found.moving == {"odom", "base"}
    assert found.frames == {"base", "lidar", "camera", "odom"}
    np.testing.assert_array_equal(found.tree.lookup("base", "camera"), np.eye(4))
    assert [info.header.frame_id for _, info in found.infos["rgb"]] == ["camera", "moved"]
    assert sum(found.children.values()) == 1
    assert (found.broken, heard.short) == ("", 0)


def test_a_message_without_room_for_a_header_is_counted(tmp_path: Path) -> None:
    frame = rigs.frames(1)[0]
    good = rigs.image("/image", frame, "camera", np.zeros((4, 6, 3), np.uint8), "rgb8")
    found = scan(write(tmp_path / "bag", [good, good._replace(stamp_ns=T0 + STEP, data=good.data[:6])]))
    assert found.heard["/image"].short == 1
    assert len(found.heard["/image"].stamps_ns) == 1


def test_a_graph_is_known_before_any_message() -> None:
    reliable, latched = (Offer(reliable=True, latched=False),), (Offer(reliable=True, latched=True),)
    offered = {
        "/cam": Topic("sensor_msgs/msg/Image", 0, offers=reliable),
        "/tf_static": Topic("tf2_msgs/msg/TFMessage", 0, offers=latched),
        "/other": Topic("std_msgs/msg/String", 0),
    }
    found = of_graph(Path("live"), {"image": "/cam"}, offered)
    assert {topic: (each.name, each.offers) for topic, each in found.heard.items()} == {"/cam": ("image", reliable)}
    assert found.tf_offers == latched
    assert found.sensors == {}
