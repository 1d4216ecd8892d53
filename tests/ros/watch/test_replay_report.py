# SPDX-License-Identifier: Apache-2.0
"""The page of a replay whose frames a node answers, over real DDS."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest

pytest.importorskip("rclpy")

from helpers.vehicle import wait_for
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from perception.assembly.settings.topic import Topic
from perception.messages.convert import image_fields
from perception.reporting.page import Page
from perception.ros.replay import Published, Summary
from perception.ros.watch.audience import Audience
from perception.ros.watch.recorder import IMAGES
from perception.ros.watch.replay_report import replay_page

FRAMES = 4


class Answers:
    """A node /perception that answers on demand."""

    def __init__(self, node: Node, silent: tuple[str, ...] = ()) -> None:
        self._publishers = [node.create_publisher(Image, f"~/{name}", 10) for name in IMAGES if name not in silent]

    def heard(self) -> bool:
        return all(publisher.get_subscription_count() for publisher in self._publishers)

    def say(self, stamp_ns: int) -> None:
        header = Header()
        header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
        for publisher in self._publishers:
            publisher.publish(Image(header=header, **image_fields(np.zeros((4, 4), np.uint8), "mono8")))


TOPICS = {"/camera": Topic("sensor_msgs/msg/Image", 8), "/camera_info": Topic("sensor_msgs/msg/CameraInfo", 8)}


def page_of(ros: Any, stamps: list[list[int]], unanswered: set[tuple[int, int]], silent: tuple[str, ...] = ()) -> Page:
    """Rounds of so many stamps, except those (round, frame) that get no answer. silent: outputs never sent."""
    own, other = Node("replay", context=ros), Node("perception", context=ros)
    answers = Answers(other, silent)
    try:
        with Audience(own, TOPICS, {"/camera": "/rig/left"}) as audience:
            wait_for(lambda: answers.heard())
            wait_for(lambda: own.count_publishers(f"/perception/{IMAGES[0]}"))
            for turn, each in enumerate(stamps):
                for number, stamp in enumerate(each):
                    audience.note(Published("/camera", stamp, stamp))
                    time.sleep(0.05)
                    if (turn, number) not in unanswered:
                        answers.say(stamp)
                    time.sleep(0.02)
            return replay_page(audience, "drive", Summary({"/camera": 8}, 1.0, {0: 1.0}, 2.0))
    finally:
        own.destroy_node()
        other.destroy_node()


def test_every_frame_has_its_latency(ros: Any) -> None:
    page = page_of(ros, [[1_000 + number for number in range(FRAMES)]], {(0, 2)})
    tiles = dict(page.tiles)
    assert tiles["answered"] == "3 / 4"
    assert 50 <= float(tiles["latency p50 [ms]"]) < 500
    assert "4 frames were sent, 3 answered, 1 dropped (1 lost on the way)." in page.lead
    assert page.notes == []


def test_rounds_with_the_same_stamps_count_the_last_time(ros: Any) -> None:
    """A round takes 0.28 s; every latency counted from the first would be wrong by that."""
    stamps = [1_000 + number for number in range(FRAMES)]
    page = page_of(ros, [stamps, stamps], {(0, 1), (1, 2)})
    tiles = dict(page.tiles)
    assert tiles["answered"] == "3 / 4"
    assert 50 <= float(tiles["latency p99 [ms]"]) < 250
    assert page.notes == ["Some stamps were published again: for each of them, the last time counts."]


def test_rounds_with_new_stamps_count_all(ros: Any) -> None:
    page = page_of(ros, [[1_000 * turn + number for number in range(FRAMES)] for turn in (1, 2)], set())
    assert dict(page.tiles)["answered"] == "8 / 8"


def test_masks_that_are_switched_off_are_not_waited_for(ros: Any) -> None:
    page = page_of(ros, [[1_000 + number for number in range(FRAMES)]], set(), silent=("road", "pedestrian"))
    assert dict(page.tiles)["answered"] == "4 / 4"
