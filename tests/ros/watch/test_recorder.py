# SPDX-License-Identifier: Apache-2.0
"""The recorder against a publisher over real DDS: it must have every sent message, with its arrival time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import pytest

pytest.importorskip("rclpy")

import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node
from sensor_msgs.msg import Image
from std_msgs.msg import Header

from perception.messages.convert import image_fields
from perception.ros.dds import use_profile
from perception.ros.node_process import private_network
from perception.ros.watch.diagnostics_log import UNEXPLAINED, DiagnosticsLog
from perception.ros.watch.recorder import IMAGES, Recorder, Status

STAMP = 1_700_000_000_000_000_000
FRAMES = 30


@pytest.fixture
def nodes() -> Iterator[tuple[Node, Node]]:
    use_profile()
    with private_network() as domain:
        context = rclpy.Context()  # type: ignore[attr-defined]
        rclpy.init(context=context, domain_id=domain)
        yield rclpy.create_node("listens", context=context), rclpy.create_node("perception", context=context)
        rclpy.try_shutdown(context=context)  # type: ignore[attr-defined]


def make_image(number: int) -> np.ndarray:
    return np.full((375, 1242), number, np.uint8)


def test_nothing_is_lost(nodes: tuple[Node, Node]) -> None:
    own, other = nodes
    publishers = {name: other.create_publisher(Image, f"~/{name}", 5) for name in IMAGES}
    diagnostics = other.create_publisher(DiagnosticArray, "/diagnostics", 10)
    with Recorder(own) as recorder:
        deadline = time.monotonic() + 10
        while recorder.missing and time.monotonic() < deadline:
            time.sleep(0.05)
        assert recorder.missing == []
        assert not recorder.wait_for(STAMP, quiet=0, timeout=0.1)
        time.sleep(0.3)
        sent = {}
        for number in range(FRAMES):
            header = Header()
            header.stamp.sec, header.stamp.nanosec = divmod(STAMP + number, 1_000_000_000)
            for publisher in publishers.values():
                publisher.publish(Image(header=header, **image_fields(make_image(number), "mono8")))
            sent[STAMP + number] = time.time_ns()
            time.sleep(0.02)
        values = [KeyValue(key="frames", value="3")]
        status = DiagnosticStatus(name="perception: fusion", level=b"\x01", message="slow", values=values)
        asked = time.time_ns()
        diagnostics.publish(DiagnosticArray(status=[status]))
        assert recorder.wait_for(STAMP + FRAMES - 1, quiet=5, timeout=5)
        assert recorder.wait_for_diagnostics(asked, 5)
        assert not recorder.wait_for(STAMP + FRAMES, quiet=0.1, timeout=60)
    images = recorder.images()
    for name in IMAGES:
        assert sorted(images[name]) == sorted(sent)
        for number in (0, FRAMES - 1):
            np.testing.assert_array_equal(images[name][STAMP + number].image(), make_image(number))
    delays = [images["labels"][stamp].received_ns - sent[stamp] for stamp in sent]
    assert max(map(abs, delays)) < 0.5e9
    (only,) = recorder.diagnostics()
    assert (only.name, only.level, only.message, only.values) == ("perception: fusion", 1, "slow", {"frames": "3"})


def status(second: int, component: str, **values: object) -> Status:
    return Status(second * 1_000_000_000, f"perception: {component}", 0, "", {k: str(v) for k, v in values.items()})


def test_the_diary_reads_weights_stages_and_drops() -> None:
    statuses = [
        status(0, "fusion", frames=0, trigger=""),
        status(1, "fusion", frames=8, trigger="rgb", weight_rgb=0.6, weight_lidar=0.4, stage_infer_ms=30),
        status(2, "fusion", frames=17, trigger="rgb", weight_rgb=0.8, weight_lidar=0.2, stage_infer_ms=40),
        status(2, "rgb", received=20, dropped=2, dropped_superseded=2, dropped_failed=0),
        status(2, "depth", received=20, dropped=9, dropped_unmatched=9),
    ]
    diary = DiagnosticsLog(statuses)
    assert diary.drops_by_cause(3) == {"superseded": 2, UNEXPLAINED: 1}
    assert diary.drops_by_cause(2) == {"superseded": 2}
    assert diary.mean_weights() == pytest.approx({"rgb": 0.7, "lidar": 0.3})
    assert diary.stages_ms() == pytest.approx({"infer": 35})
    assert [entry["time_s"] for entry in diary.weights(500_000_000)] == [0.5, 1.5]


def test_the_diary_of_a_node_that_said_nothing() -> None:
    diary = DiagnosticsLog([])
    assert diary.drops_by_cause(0) == {}
    assert diary.drops_by_cause(4) == {UNEXPLAINED: 4}
    assert (diary.mean_weights(), diary.stages_ms(), diary.weights(0)) == ({}, {}, [])


def test_images_that_not_every_node_has_are_kept_and_not_waited_for(nodes: tuple[Node, Node]) -> None:
    own, other = nodes
    labels = other.create_publisher(Image, "~/labels", 5)
    with Recorder(own, names=("labels",), optional=("instances",)) as recorder:
        _until(lambda: not recorder.missing and labels.get_subscription_count())
        header = Header()
        header.stamp.sec = 5
        labels.publish(Image(header=header, **image_fields(make_image(1), "mono8")))
        assert recorder.wait_for(5_000_000_000, quiet=1, timeout=10)
        assert recorder.images()["instances"] == {}
        instances = other.create_publisher(Image, "~/instances", 5)
        _until(instances.get_subscription_count)
        codes = np.full((10, 20), 2007, np.uint16)
        instances.publish(Image(header=header, **image_fields(codes, "16UC1")))
        _until(lambda: recorder.images()["instances"])
        np.testing.assert_array_equal(recorder.images()["instances"][5_000_000_000].image(), codes)


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    time.sleep(0.3)  # both sides must have discovered each other
