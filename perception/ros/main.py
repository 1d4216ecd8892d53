# SPDX-License-Identifier: Apache-2.0
"""Runs one node or several as a process: an executor for each, clean shutdown, exit code 0 when asked to stop."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from perception.engines.pool import EnginePool
from perception.errors import PerceptionError
from perception.memory import keep_buffers
from perception.ros.dds import send_beside, use_profile
from perception.ros.imports import require_rclpy
from perception.threads import cores

if TYPE_CHECKING:
    from perception.ros.node import PerceptionNode
    from perception.ros.rig_points import RigPoints

EXIT_S = 1.5
"""The time from the end of ROS, which a signal causes, to the end of the process, even if something hangs."""


class Member(NamedTuple):
    """A perception node of the process. arguments: those of this node alone, as ROS takes them. calibration: the file
    that is used if the parameter calibration_file is empty."""

    namespace: str = ""
    arguments: Sequence[str] = ()
    calibration: Path | None = None


ALONE = (Member(),)
"""One node without a namespace."""


def run(
    ros_arguments: Sequence[str], members: Sequence[Member] = ALONE, merged: Sequence[str] = (), sharing: int = 1
) -> int:
    """Run the nodes until they are stopped; `ros_arguments` as ROS takes them (--ros-args …), for all. Returns the exit
    code.

    members: share engines and take turns at them. merged: the cameras whose points the node `rig` merges; () without
    that node. sharing: how many such processes share the cores. Raises PerceptionError for errors that the user can
    correct: no ROS, wrong arguments or parameters, a missing model. If one of several members cannot start, it logs the
    reason and the others run; a lifecycle manager may configure it again. The process is ended EXIT_S after ROS was
    shut down, if it is still running.
    """
    use_profile()
    send_beside()
    require_rclpy()
    import rclpy
    from rclpy.exceptions import InvalidParameterTypeException, InvalidParameterValueException
    from rclpy.executors import ExternalShutdownException, SingleThreadedExecutor

    from perception.ros.node import PerceptionNode
    from perception.ros.rig_points import RigPoints

    mistakes = (ValueError, InvalidParameterTypeException, InvalidParameterValueException)
    try:
        rclpy.init(args=list(ros_arguments))
    except RuntimeError as error:  # rclpy raises it for unknown arguments and unreadable parameter files
        raise PerceptionError(f"ROS arguments: {str(error).split(', at /')[0]}") from error
    keep_buffers()
    end = _End(name="perception end", daemon=True)
    end.start()
    nodes: list[PerceptionNode] = []
    everyone: list[PerceptionNode | RigPoints] = []
    executors: list[Any] = []
    try:
        pool = EnginePool()
        for member in members:
            options = {"namespace": member.namespace or None, "cli_args": list(member.arguments)}
            nodes.append(PerceptionNode(pool, member.calibration, len(members), sharing, **options))
            everyone.append(nodes[-1])
        started = [_start(node) for node in nodes]
        if nodes and not any(started):
            raise PerceptionError(f"the node cannot start: {nodes[0].failure}")
        if len(nodes) > 1:
            threads = nodes[0].settings.threads or cores()
            nodes[0].get_logger().info(f"{len(nodes)} cameras take turns at one network with threads: {threads}")
        everyone.extend([RigPoints(merged)] if merged else [])
        executors.extend(SingleThreadedExecutor() for _ in everyone)
        for each, executor in zip(everyone, executors, strict=True):
            executor.add_node(each)
        # One executor each: while one node loads a network, the others still receive their messages.
        for each, executor in list(zip(everyone, executors, strict=True))[1:]:
            threading.Thread(target=_spin, args=(each, executor), daemon=True).start()
        # What is there now stays, and need not be looked through again and again: 2 % of a node at 20 Hz.
        gc.collect()
        gc.freeze()
        _spin(everyone[0], executors[0])
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
        for each in everyone:
            each.destroy_node()
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


def _spin(node: PerceptionNode | RigPoints, executor: Any) -> None:
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
