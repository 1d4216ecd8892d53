# SPDX-License-Identifier: Apache-2.0
"""A drive at 10 Hz whose sensors can be made to fail, and what the node made of every instant."""

from __future__ import annotations

import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from helpers.vehicle import CAMERA, LIDAR_TO_CAMERA, Vehicle, picture, sweep, wait_for
from rclpy.node import Node
from sensor_msgs.msg import CameraInfo, Image, PointCloud2, PointField

from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, stamp_ns

PERIOD_S = 0.1

STRICT = bool(os.environ.get("PERCEPTION_STRICT"))
"""Whether the machine is known to do nothing else: then nothing may be lost, and a second must do."""

Note = Callable[[str, Any], None]
"""pytest's `record_property`."""

Fault = Callable[[Any], Iterable[tuple[float, Any]]]
"""What becomes of a message: (seconds later, message) of everything that is sent instead."""


def lost(_message: Any) -> Iterable[tuple[float, Any]]:
    """Nothing is sent."""
    return ()


def arguments(model: Path, *more: str) -> list[str]:
    """Of a node with that model, the times and limits that it has by default, and `more` parameters."""
    parameters = [f"model:={model}", f"lidar_to_camera:={LIDAR_TO_CAMERA}", *more]
    return ["--ros-args", *(word for each in parameters for word in ("-p", each))]


class Drive(Vehicle):
    """Publishes a camera image, its CameraInfo and a sweep every 0.1 s, each through its fault if it has one.

    faults: by sensor, `rgb`, `info` and `lidar`. level: the red of the image's left half, which tells its class. clock:
    what is added to every stamp [s].
    """

    def __init__(self, node: Node) -> None:
        super().__init__(node)
        self.listen(PointCloud2, "/perception/points")
        self.faults: dict[str, Fault] = {}
        self.level, self.clock = 160, 0.0
        self.sent: list[int] = []
        self._running: threading.Event | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to send."""
        self._running = threading.Event()
        self._running.set()
        self._thread = threading.Thread(target=self._run, args=(self._running,))
        self._thread.start()

    def stop(self) -> None:
        """Send nothing any more."""
        if self._running is not None and self._thread is not None:
            self._running.clear()
            self._thread.join()
        self._running = self._thread = None

    def reset(self) -> None:
        """All sensors are well from now on."""
        self.faults, self.level, self.clock = {}, 160, 0.0

    def for_seconds(self, seconds: float) -> list[int]:
        """Let the drive go on for so long; the stamps of its instants, the last of which may not be answered yet."""
        begin = len(self.sent)
        time.sleep(seconds)
        return self.sent[begin:]

    def answered(self, stamps: Iterable[int], within: float = 1.0) -> set[int]:
        """Those of the stamps that labels came for, at the latest so many seconds from now."""
        wanted, deadline = set(stamps), time.monotonic() + within
        while time.monotonic() < deadline and not wanted <= set(self.labels()):
            time.sleep(0.02)
        return wanted & set(self.labels())

    def newest(self, stamps: Iterable[int]) -> Any:
        """The labels of the latest of the stamps that was answered; None where none was."""
        answered = self.answered(stamps)  # first: labels may come meanwhile
        return self.labels()[max(answered)] if answered else None

    def expect_answers(self, stamps: Iterable[int], note: Note) -> None:
        """Every instant is answered: on a machine that does nothing else, without exception."""
        wanted = set(stamps)
        lost = len(wanted) - len(self.answered(wanted))
        note("sent", len(wanted))
        note("lost", lost)
        assert lost <= (0 if STRICT else len(wanted) // 4 + 1), (
            f"{lost} of {len(wanted)} instants were not answered: "
            f"{[n for n, stamp in enumerate(sorted(wanted)) if stamp not in self.labels()]}"
        )

    def expect_recovery(self, note: Note) -> None:
        """All sensors are well from now on, and so is the node within a second: longer on a machine that is busy."""
        self.reset()
        seconds = self.wait_until_whole()
        note("recovery_s", round(seconds, 2))
        assert seconds < (1.0 if STRICT else 5.0)

    def with_lidar(self) -> set[int]:
        """Stamps of the sweeps that were used."""
        return {stamp_ns(message) for message in self.all("/perception/points")}

    def wait_until_whole(self, timeout: float = 20.0) -> float:
        """Wait for an instant, sent from now on, that camera and LiDAR both answer; the seconds that it took."""
        began, first = time.monotonic(), len(self.sent)

        def whole() -> bool:
            return bool(set(self.sent[first:]) & set(self.labels()) & self.with_lidar())

        wait_for(whole, timeout)
        return time.monotonic() - began

    def fusion(self) -> tuple[bytes, str]:
        """The newest word of the diagnostics on everything together."""
        level, message, _ = self.statuses()["fusion"]
        return level, message

    def _run(self, running: threading.Event) -> None:
        due, waiting = time.monotonic(), defaultdict[float, list[tuple[Any, Any]]](list)
        while running.is_set():
            now = time.monotonic()
            if now >= due:
                due += PERIOD_S
                for publisher, fault, message in self._instant():
                    for delay, each in (fault or _as_it_is)(message):
                        waiting[now + delay].append((publisher, each))
            for moment in sorted(each for each in waiting if each <= now):
                for publisher, message in waiting.pop(moment):
                    publisher.publish(message)
            time.sleep(0.005)

    def _instant(self) -> list[tuple[Any, Fault | None, Any]]:
        header = self.header("left")
        if self.clock:
            moment = stamp_ns(Image(header=header)) + round(self.clock * 1e9)
            header.stamp.sec, header.stamp.nanosec = divmod(moment, 1_000_000_000)
        swept, seen = deepcopy(header), deepcopy(header)  # a fault of one must not reach the others
        swept.frame_id = "velo"
        self.sent.append(stamp_ns(Image(header=header)))
        info = CameraInfo(header=header, **camera_info_fields(CAMERA))
        image = Image(header=seen, **image_fields(picture(self.level), "rgb8"))
        cloud = PointCloud2(header=swept, **cloud_fields(sweep(), PointField))
        return [
            (self.info, self.faults.get("info"), info),
            (self.image, self.faults.get("rgb"), image),
            (self.points, self.faults.get("lidar"), cloud),
        ]


def _as_it_is(message: Any) -> Iterable[tuple[float, Any]]:
    return ((0.0, message),)


def is_level(message: Any, level: int) -> bool:
    """Whether labels say what an image of this level shows."""
    image = np.frombuffer(message.data, np.uint8).reshape(message.height, message.width)
    return bool((image[:, : message.width // 2 - 4] == level // 64).all())
