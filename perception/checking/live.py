# SPDX-License-Identifier: Apache-2.0
"""`perception check --live`: records what a vehicle publishes now for some seconds."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING

from perception.assembly.settings.topics import remappings
from perception.errors import PerceptionError
from perception.reporting.progress import Steps
from perception.ros.dds import use_profile
from perception.ros.imports import require_rclpy

if TYPE_CHECKING:
    from perception.ros.watch.live_recording import Live


def record(args: argparse.Namespace, path: Path, steps: Steps) -> Live:
    """Record `path` for args.seconds. Raises PerceptionError for ROS arguments that are wrong."""
    use_profile()
    require_rclpy()
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from perception.ros.watch.live_recording import LiveRecording

    words = [*args.rest, *(remappings(args.topics) if args.topics else [])]
    try:
        rclpy.init(args=words, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # rclpy's own for unknown arguments
        raise PerceptionError(f"ROS arguments: {str(error).split(', at /')[0]}") from error
    try:
        node = rclpy.create_node("perception_check")
        with steps.step("record", "listen", math.floor(args.seconds)) as advance:
            live = LiveRecording(node).record(path, args.seconds, advance)
        node.destroy_node()
    finally:
        rclpy.try_shutdown()  # type: ignore[attr-defined]
    return live
