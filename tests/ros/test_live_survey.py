# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
from helpers import rigs

pytest.importorskip("rclpy")

from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import String

from perception.ros.live_survey import survey_graph


def test_what_is_published_is_seen_with_its_rate_and_first_message(ros: Any) -> None:
    """An image at 20 Hz, a camera_info that nobody ever sent, a text that no input takes."""
    frame = rigs.frames(1)[0]
    picture = rigs.image("/front/image", frame, "front", np.zeros((64, 96, 3), np.uint8), "rgb8")
    sender, ears = Node("sender", context=ros), Node("ears", context=ros)
    image = sender.create_publisher(Image, "/front/image", 5)
    sender.create_publisher(CameraInfo, "/front/camera_info", 5)
    text = sender.create_publisher(String, "/said", 5)
    stop = threading.Event()

    def send() -> None:
        while not stop.wait(0.05):
            image.publish(picture.data)
            text.publish(String(data="hello"))

    sending = threading.Thread(target=send)
    sending.start()
    try:
        found = survey_graph(ears, 3.0)
    finally:
        stop.set()
        sending.join()
        ears.destroy_node()
        sender.destroy_node()
    seen = {each.topic: each for each in found.seen}
    assert set(seen) == {"/front/image", "/front/camera_info"}
    assert found.topics["/said"].type == "std_msgs/msg/String"
    shown = seen["/front/image"]
    assert (shown.frame, shown.encoding, shown.size) == ("front", "rgb8", (96, 64))
    assert shown.rate_hz == pytest.approx(20, rel=0.3)
    assert (seen["/front/camera_info"].rate_hz, seen["/front/camera_info"].frame) == (None, "")
