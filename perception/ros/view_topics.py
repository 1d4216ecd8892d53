# SPDX-License-Identifier: Apache-2.0
"""`perception view` without a recording: shows the topics of a running node."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from rich.console import Console

from perception.assembly.calibration import read_calibration_file
from perception.assembly.settings.topics import calibration_beside, remappings
from perception.errors import PerceptionError
from perception.ros.dds import use_profile
from perception.ros.imports import require_rclpy
from perception.viewing.job import ViewOptions
from perception.viewing.log import Log
from perception.viewing.output import interruptible, open_output

if TYPE_CHECKING:
    from perception.ros.live_view import LiveView

PATIENCE_S = 5.0
"""After so long without a message, the command prints which topics it listens to."""


def run_live(options: ViewOptions, console: Console) -> None:
    """Show moments until Ctrl-C, the end of the given seconds, or until the window is closed."""
    use_profile()
    require_rclpy()
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    from perception.ros.live_view import LiveView

    file = options.calibration or (calibration_beside(options.topics) if options.topics else None)
    calibration = read_calibration_file(file) if file else None
    words = [*options.ros_arguments, *(remappings(options.topics) if options.topics else [])]
    try:
        rclpy.init(args=words, signal_handler_options=SignalHandlerOptions.NO)
    except RuntimeError as error:  # rclpy raises it for unknown arguments
        raise PerceptionError(f"ROS arguments: {str(error).split(', at /')[0]}") from error
    try:
        with interruptible() as stop, open_output(options.save, options.web, console) as output:
            node = rclpy.create_node("perception_view")
            view = LiveView(node, Log(output.recording), options.hz, calibration)
            began = time.monotonic()
            silent = threading.Timer(PATIENCE_S, _tell, (view, console))
            silent.daemon = True
            silent.start()

            def wanted() -> bool:
                over = options.seconds is not None and time.monotonic() - began >= options.seconds
                return output.running() and not over and not stop.is_set()

            try:
                view.run(wanted)
            finally:
                silent.cancel()
                node.destroy_node()
            seconds = time.monotonic() - began
            console.print(f"{view.shown} frames in {seconds:.1f} s, {view.shown / seconds:.1f} per second")
            if options.seconds is not None:
                output.finish(stop)
    finally:
        rclpy.try_shutdown()  # type: ignore[attr-defined]


def _tell(view: LiveView, console: Console) -> None:
    if not view.shown:
        topics = ", ".join(view.topics)
        console.print(f"nothing yet on {topics}: does a node run in this ROS_DOMAIN_ID?", soft_wrap=True)
