# SPDX-License-Identifier: Apache-2.0
"""A subscriber in another process: publishing without subscribers would cost nothing."""

from __future__ import annotations

import importlib
import multiprocessing
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from perception.errors import PerceptionError


@contextmanager
def listener(topics: Mapping[str, str]) -> Iterator[None]:
    """A process that subscribes to `topics` (type such as sensor_msgs/msg/Image by name) and takes their messages.

    It joins the ROS domain of the environment, and ends with the with block. Raises PerceptionError if it
    cannot start; its own traceback gives the reason.
    """
    # spawn: a forked child would share Fast DDS's and OpenVINO's threads, which do not survive it.
    context = multiprocessing.get_context("spawn")
    ready, stop = context.Event(), context.Event()
    process = context.Process(target=_listen, args=(dict(topics), ready, stop), name="listener", daemon=True)
    process.start()
    try:
        while not ready.wait(0.1):
            if not process.is_alive():
                raise PerceptionError(f"the listening process ended with code {process.exitcode}")
        yield
    finally:
        stop.set()
        process.join()


def _listen(topics: dict[str, str], ready: Any, stop: Any) -> None:
    import rclpy
    from rclpy.executors import SingleThreadedExecutor
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from rclpy.signals import SignalHandlerOptions

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends its listener
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = rclpy.create_node("bench_listener")
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    for topic, kind in topics.items():
        package, _, name = kind.split("/")
        message_class = getattr(importlib.import_module(f"{package}.msg"), name)
        node.create_subscription(message_class, topic, lambda data: None, qos, raw=True)
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    ready.set()
    while not stop.is_set():
        executor.spin_once(timeout_sec=0.1)
    executor.shutdown()
    node.destroy_node()
    rclpy.try_shutdown()  # type: ignore[attr-defined]
