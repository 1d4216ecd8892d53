# SPDX-License-Identifier: Apache-2.0
"""`perception check --live`: records for some seconds what a vehicle publishes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from perception.assembly.settings.topics import remappings
from perception.errors import PerceptionError
from perception.reporting.progress import Steps
from perception.ros.dds import use_profile
from perception.ros.imports import require_rclpy

if TYPE_CHECKING:
    from perception.ros.watch.live_recording import Live


def record(path: Path, seconds: float, topics: str | None, ros_arguments: Sequence[str], steps: Steps) -> Live:
    """Record `path` for some seconds. topics: as --topics takes them.

    Raises PerceptionError for wrong ROS arguments.
    """
    use_profile()
    require_rclpy()
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from perception.ros.watch.live_recording import LiveRecording

    words = [*ros_arguments, *(remappings(topics) if topics else [])]
    try:
        rclpy.init(args=words, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # rclpy raises it for unknown arguments
        raise PerceptionError(f"ROS arguments: {str(error).split(', at /')[0]}") from error
    try:
        node = rclpy.create_node("perception_check")
        with steps.step("record", "listen", math.floor(seconds)) as advance:
            live = LiveRecording(node).record(path, seconds, advance)
        node.destroy_node()
    finally:
        rclpy.try_shutdown()  # type: ignore[attr-defined]
    return live
