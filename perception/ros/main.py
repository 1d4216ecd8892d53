# SPDX-License-Identifier: Apache-2.0
"""Runs one node or several as a process: an executor for each, clean shutdown, exit code 0 when asked to stop."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.engines.pool import EnginePool
from perception.errors import PerceptionError
from perception.ros.dds import send_beside, use_profile
from perception.ros.imports import require_rclpy

if TYPE_CHECKING:
    from perception.ros.node import PerceptionNode

EXIT_S = 1.5
"""The time from the end of ROS, which a signal causes, to the end of the process, even if something hangs."""


def run(ros_arguments: Sequence[str], rigs: Sequence[str] = (), calibration: Path | None = None) -> int:
    """Run the node until it is stopped; `ros_arguments` as ROS takes them (--ros-args …). Returns the exit code.

    rigs: namespaces, one for each node; the nodes share engines. calibration: a file that is used if the parameter
    calibration_file is empty. Raises PerceptionError for errors that the user can correct: no
    ROS, wrong arguments or parameters, a missing model. If one of several rigs cannot start, it logs the reason and
    the others run; a lifecycle manager may configure it again. The process is ended EXIT_S after ROS was shut
    down, if it is still running.
    """
    use_profile()
    send_beside()
    require_rclpy()
    import rclpy
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

    from perception.ros.node import PerceptionNode

    mistakes = (ValueError, InvalidParameterTypeException, InvalidParameterValueException)
    try:
        rclpy.init(args=list(ros_arguments))
    except RuntimeError as error:  # rclpy raises it for unknown arguments and unreadable parameter files
        raise PerceptionError(f"ROS arguments: {str(error).split(', at /')[0]}") from error
    end = _End(name="perception end", daemon=True)
    end.start()
    nodes: list[PerceptionNode] = []
    executors: list[Any] = []
    try:
        pool = EnginePool()
        nodes.extend(PerceptionNode(pool, calibration, namespace=rig or None) for rig in rigs or [""])
        started = [_start(node) for node in nodes]
        if not any(started):
            raise PerceptionError(f"the node cannot start: {nodes[0].failure}")
        executors.extend(SingleThreadedExecutor() for _ in nodes)
        for node, executor in zip(nodes, executors, strict=True):
            executor.add_node(node)
        # One executor each: while one rig loads a network, the others still receive their messages.
        for node, executor in list(zip(nodes, executors, strict=True))[1:]:
            threading.Thread(target=_spin, args=(node, executor), daemon=True).start()
        _spin(nodes[0], executors[0])
    except (KeyboardInterrupt, ExternalShutdownException):
        pass
    except Exception as error:
        # A signal shuts ROS down in the middle of any operation: that is not a failure, but what was asked for.
        if rclpy.ok():  # type: ignore[attr-defined]
            end.armed = False
            if isinstance(error, mistakes):
                raise PerceptionError(f"the node cannot start: {error}") from error
            raise
    finally:
        # launch passes Ctrl-C on although the terminal did so already: the second signal must not interrupt the
        # shutdown.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        for executor in executors:
            executor.shutdown()
        for node in nodes:
            node.destroy_node()
        rclpy.try_shutdown()  # type: ignore[attr-defined]
    return 0


def _start(node: PerceptionNode) -> bool:
    """Configure and activate if the node does so itself; returns whether it is in the state that its parameters ask
    for."""
    from rclpy.lifecycle import TransitionCallbackReturn

    if not node.settings.autostart:
        return True
    transitions = (node.trigger_configure, node.trigger_activate)
    return all(transition() == TransitionCallbackReturn.SUCCESS for transition in transitions)


def _spin(node: PerceptionNode, executor: Any) -> None:
    """Spin until ROS ends: errors of callbacks leave an executor's spin, and would end the node.

    Some are rclpy's own, for example for a negative time on /clock.
    """
    from rclpy.executors import ExternalShutdownException

    while executor.context.ok():
        try:
            executor.spin()
        except ExternalShutdownException:
            return
        except Exception as error:
            if executor.context.ok():
                node.survive(error)


class _End(threading.Thread):
    """Ends the process EXIT_S after ROS was shut down.

    Native code that hangs cannot be interrupted, and at its end Python would wait for the threads that run it.
    """

    armed = True
    """Whether it ends the process: a node that fails by itself gives the reason, and nothing of it hangs."""

    def run(self) -> None:
        """See the class."""
        import rclpy

        while rclpy.ok():  # type: ignore[attr-defined]
            time.sleep(0.05)
        time.sleep(EXIT_S)
        if not self.armed:
            return
        print(f"perception node: still busy {EXIT_S:g} s after ROS ended; exiting anyway", file=sys.stderr, flush=True)
        os._exit(0)
