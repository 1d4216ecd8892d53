# SPDX-License-Identifier: Apache-2.0
"""The node's answers, kept with their arrival times."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from diagnostic_msgs.msg import DiagnosticArray
from numpy.typing import NDArray
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import Image

from perception.classes import FOREGROUND
from perception.messages.convert import read_array
from perception.messages.stamps import read_stamp
from perception.ros.spinning import spinning

IMAGES: tuple[str, ...] = ("labels", "confidence", *FOREGROUND)
"""The images that the node publishes for every frame, by their name under the node's."""

DEPTH = 200
"""Messages that may wait here before the oldest is lost: far more than ever arrive while the recorder is busy."""


class Answer(NamedTuple):
    """One image of the node. received_ns: wall time of its arrival. data: the message, serialised; b"" if not kept."""

    received_ns: int
    data: bytes

    def image(self) -> NDArray[Any]:
        """(H, W) uint8, or uint16 of instances, decoded. Raises MessageError for a broken image."""
        return read_array(deserialize_message(self.data, Image))


class Status(NamedTuple):
    """One diagnostic status as it arrived. values: its key-value pairs."""

    received_ns: int
    name: str
    level: int
    message: str
    values: dict[str, str]


class Recorder:
    """Listens to a perception node, and to all diagnostics, in a separate thread. Use it as a context manager.

    node: our own ROS node, which gets the subscriptions. target: the name of the node that is recorded. names: which
    of its images; if empty, only the diagnostics. optional: images that not every node has.
    Images are kept as the received bytes, and their time is taken first: nothing slow happens between the arrival of
    one message and that of the next. A frame's five images of 1242×375 take 2.3 MB of memory; without keep_images
    no bytes are kept, only the times.
    """

    def __init__(
        self,
        node: Node,
        target: str = "/perception",
        keep_images: bool = True,
        names: Sequence[str] = IMAGES,
        optional: Sequence[str] = (),
    ) -> None:
        self._node, self._keep_images = node, keep_images
        self._lock = threading.Lock()
        self._names = tuple(names)
        self._images: dict[str, dict[int, Answer]] = {name: {} for name in (*names, *optional)}
        self._status: list[Status] = []
        self._newest_ns = 0
        # A best-effort subscriber receives from reliable and best-effort publishers alike.
        qos = QoSProfile(depth=DEPTH, reliability=ReliabilityPolicy.BEST_EFFORT)
        self._topics = [f"{target.rstrip('/')}/{name}" for name in names]
        for name in self._images:
            node.create_subscription(Image, f"{target.rstrip('/')}/{name}", self._keeper(name), qos, raw=True)
        node.create_subscription(DiagnosticArray, "/diagnostics", self._keep_diagnostics, qos)
        self._spinning = spinning(node, "recorder")

    def __enter__(self) -> Recorder:
        self._spinning.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._spinning.__exit__(None, None, None)

    @property
    def missing(self) -> list[str]:
        """The topics that are recorded but have no publisher (yet)."""
        return [topic for topic in self._topics if not self._node.count_publishers(topic)]

    def images(self) -> dict[str, dict[int, Answer]]:
        """The images that have arrived so far, by their name and their stamp [ns]."""
        with self._lock:
            return {name: dict(images) for name, images in self._images.items()}

    def diagnostics(self) -> list[Status]:
        """The statuses that have arrived so far, in the order of their arrival."""
        with self._lock:
            return list(self._status)

    def wait_for(self, stamp_ns: int, quiet: float, timeout: float) -> bool:
        """Wait until every image of the frame `stamp_ns` has arrived.

        False if nothing arrives for `quiet` [s], or after `timeout` [s] if nothing arrived at all: the first answer
        may take longer than the others.
        """
        began = time.time_ns()

        def over() -> bool:
            silent = time.time_ns() - max(self._newest_ns, began) > quiet * 1e9
            return self._complete(stamp_ns) or (self._newest_ns > 0 and silent)

        self._wait(over, timeout)
        with self._lock:
            return self._complete(stamp_ns)

    def wait_for_diagnostics(self, after_ns: int, timeout: float) -> bool:
        """Wait for a diagnosis that arrives after the wall time `after_ns`; False if `timeout` [s] passes first."""
        return self._wait(lambda: bool(self._status) and self._status[-1].received_ns > after_ns, timeout)

    def _complete(self, stamp_ns: int) -> bool:
        return all(stamp_ns in self._images[name] for name in self._names)

    def _wait(self, condition: Callable[[], bool], timeout: float) -> bool:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            with self._lock:
                if condition():
                    return True
            time.sleep(0.02)
        return False

    def _keeper(self, name: str) -> Any:
        def keep(data: bytes) -> None:
            answer = Answer(time.time_ns(), data if self._keep_images else b"")
            stamp_ns = read_stamp(data)
            with self._lock:
                self._images[name][stamp_ns] = answer
                self._newest_ns = answer.received_ns

        return keep

    def _keep_diagnostics(self, message: DiagnosticArray) -> None:
        now = time.time_ns()
        statuses = [
            Status(now, s.name, int.from_bytes(s.level, "little"), s.message, {v.key: v.value for v in s.values})
            for s in message.status
        ]
        with self._lock:
            self._status += statuses
