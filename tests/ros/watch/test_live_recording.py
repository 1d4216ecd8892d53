# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import rigs

pytest.importorskip("rclpy")

from rclpy.node import Node
from sensor_msgs.msg import Image

from perception.assembly.settings.topic import Offer
from perception.bags.sources import open_bag
from perception.errors import DataError
from perception.ros.watch.live_recording import LiveRecording


def test_what_comes_is_in_the_bag_as_it_was_sent(ros: Any, tmp_path: Path) -> None:
    frame = rigs.frames(1)[0]
    picture = rigs.image("/image", frame, "front", np.full((8, 12, 3), 7, np.uint8), "rgb8")
    sender, ears = Node("sender", context=ros), Node("ears", context=ros)
    publisher = sender.create_publisher(Image, "/image", 5)
    stop, told = threading.Event(), list[int]()

    def send() -> None:
        while not stop.wait(0.05):
            publisher.publish(picture.data)

    sending = threading.Thread(target=send)
    sending.start()
    try:
        live = LiveRecording(ears).record(tmp_path / "bag", 2.5, lambda: told.append(1))
    finally:
        stop.set()
        sending.join()
        ears.destroy_node()
        sender.destroy_node()
    assert len(told) == 2
    assert live.path == tmp_path / "bag"
    assert live.topics["image"] == "/image"
    assert live.graph.offered["/image"].offers == (Offer(reliable=True, latched=False),)
    assert not live.graph.requested["/image"].latched
    with closing(open_bag(tmp_path / "bag")) as source:
        found = list(source.messages(["/image"], source.start_ns, source.end_ns))
    assert len(found) > 20
    assert {each.data for each in found} == {picture.data}
    steps = np.diff([each.stamp_ns for each in found]) * 1e-9  # stamped when they came
    assert np.median(steps) == pytest.approx(0.05, rel=0.3)


def test_where_nothing_comes_there_is_no_bag_and_a_reason(ros: Any, tmp_path: Path) -> None:
    ears = Node("ears", context=ros)
    try:
        live = LiveRecording(ears).record(tmp_path / "bag", 0.3)
    finally:
        ears.destroy_node()
    assert live.path is None
    assert "/image" in live.reason
    assert not (tmp_path / "bag").exists()


def test_a_path_that_is_taken_is_refused(ros: Any, tmp_path: Path) -> None:
    ears = Node("ears", context=ros)
    try:
        with pytest.raises(DataError, match="exists already"):
            LiveRecording(ears).record(tmp_path, 0.3)
    finally:
        ears.destroy_node()
