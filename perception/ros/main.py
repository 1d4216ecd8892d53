# SPDX-License-Identifier: Apache-2.0
"""Runs the node as a process: one executor, clean ends, exit code 0 when it was asked to stop."""

from __future__ import annotations

import signal
from collections.abc import Sequence

from perception.errors import PerceptionError
from perception.ros.dds import use_profile
from perception.ros.imports import require_rclpy


def run(ros_arguments: Sequence[str]) -> int:
    """Run the node until it is stopped; `ros_arguments` as ROS takes them (--ros-args …). Returns the exit code.

    Raises PerceptionError for what the user can mend: no ROS, wrong arguments or parameters, a model that is missing.
    """
    use_profile()
    require_rclpy()
    import rclpy
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor
    from rclpy.lifecycle import TransitionCallbackReturn

    from perception.ros.node import PerceptionNode

    mistakes = (ValueError, InvalidParameterTypeException, InvalidParameterValueException)
    try:
        rclpy.init(args=list(ros_arguments))
    except RuntimeError as error:  # rclpy's own for unknown arguments and unreadable parameter files
        raise PerceptionError(f"ROS arguments: {str(error).split(', at /')[0]}") from error
    node = executor = None
    try:
        node = PerceptionNode()
        if node.settings.autostart:
            for transition in (node.trigger_configure, node.trigger_activate):
                if transition() != TransitionCallbackReturn.SUCCESS:
                    raise PerceptionError(f"the node cannot start: {node.failure}")
        executor = SingleThreadedExecutor()
        executor.add_node(node)
        executor.spin()
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        # A signal takes ROS away from under whatever is going on: that is no failure, but what was asked for.
        if rclpy.ok():  # type: ignore[attr-defined]
            if isinstance(error, mistakes):
                raise PerceptionError(f"the node cannot start: {error}") from error
            raise
    finally:
        # launch passes Ctrl-C on although the terminal did so already: the second one must not break the way out.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if executor is not None:
            executor.shutdown()
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()  # type: ignore[attr-defined]
    return 0
