# SPDX-License-Identifier: Apache-2.0
"""Plays a recording to a node in another process, and collects all its answers.

Replay and recorder share one process. The replay publishes prepared bytes and the recorder notes the arrival time
before anything else, so neither takes much processor time from the node; the time they wait for each other (at most
one publish, about a millisecond) increases the measured latency, and never decreases it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import rclpy
from rclpy.context import Context
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from perception.bags.sources import Source
from perception.bags.writer import MODALITY_OF_TOPIC
from perception.errors import PerceptionError
from perception.ros.dds import use_profile
from perception.ros.node_process import START_TIMEOUT_S, UNSEEN_TIMEOUT_S, NodeProcess, NodeUnseenError, private_network
from perception.ros.replay import Published, Replay, Summary
from perception.ros.watch.recorder import IMAGES, Answer, Recorder, Status

DISCOVERY_TIMEOUT_S = 15.0
QUIET_S = 3.0
"""After so long without an answer since the last frame, no more answers are expected."""

FIRST_ANSWER_TIMEOUT_S = 20.0
"""The first frame of a new size may take so long on a busy machine: the engine compiles the network for it."""


@dataclass
class Loopback:
    """sent: recorded stamp by published stamp [ns] of each frame, in order. images: answers by name and stamp.

    ready_s: from the start of the process to the node being active.
    """

    sent: dict[int, int]
    replay: Summary
    images: dict[str, dict[int, Answer]]
    diagnostics: list[Status]
    ready_s: float


def rehearse(
    source: Source,
    node_arguments: Sequence[str],
    log: Path,
    on_ready: Callable[[], None],
    on_frame: Callable[[], None],
    *,
    on_start: Callable[[int], None] = lambda pid: None,
    keep_images: bool = True,
    images: Sequence[str] = IMAGES,
    optional: Sequence[str] = (),
) -> Loopback:
    """Start a node with `node_arguments`, play `source` to it in real time once, and record its answers.

    log: file for the node's output. on_start is called with the process id of the node, and of the next one if DDS does
    not find the first; on_ready is called when the node is active, on_frame after each frame. keep_images,
    optional: see `Recorder`.
    Raises PerceptionError with the end of the log if the node does not start or dies.
    """
    use_profile()
    sent: dict[int, int] = {}

    def note(message: Published) -> None:
        if message.topic in MODALITY_OF_TOPIC and message.stamp_ns not in sent:
            sent[message.stamp_ns] = message.recorded_ns
            on_frame()

    @contextmanager
    def started(timeout: float) -> Iterator[tuple[Node, NodeProcess, Recorder]]:
        with private_network() as domain, _context(domain) as context:
            own = rclpy.create_node("perception_rehearsal", context=context)
            with (
                NodeProcess(node_arguments, log) as process,
                Recorder(own, keep_images=keep_images, names=images, optional=optional) as recorder,
            ):
                on_start(process.pid)
                process.wait_until_active(own, timeout=timeout)
                yield own, process, recorder

    with ExitStack() as stack:
        try:
            began = time.monotonic()
            own, process, recorder = stack.enter_context(started(UNSEEN_TIMEOUT_S))
        except NodeUnseenError:  # Fast DDS may fail on one domain and work on the next
            began = time.monotonic()
            own, process, recorder = stack.enter_context(started(START_TIMEOUT_S))
        ready_s = time.monotonic() - began
        replay = Replay(own, source)
        replayed = source.topics.keys() - replay.skipped
        heard = [name for name in (*MODALITY_OF_TOPIC, "/tf_static") if name in replayed]
        replay.wait_for_subscribers(heard, DISCOVERY_TIMEOUT_S)
        _wait_until_connected(recorder)
        on_ready()
        summary = replay.run(on_publish=note)
        process.check()
        recorder.wait_for(max(sent), QUIET_S, FIRST_ANSWER_TIMEOUT_S)
        recorder.wait_for_diagnostics(time.time_ns(), QUIET_S)
        return Loopback(sent, summary, recorder.images(), recorder.diagnostics(), ready_s)


@contextmanager
def _context(domain: int) -> Iterator[Context]:
    """An rclpy context for the duration of a with block; Ctrl-C is still handled by Python."""
    context = Context()
    rclpy.init(context=context, domain_id=domain, signal_handler_options=SignalHandlerOptions.NO)
    try:
        yield context
    finally:
        rclpy.try_shutdown(context=context)  # type: ignore[attr-defined]


def _wait_until_connected(recorder: Recorder) -> None:
    deadline = time.monotonic() + DISCOVERY_TIMEOUT_S
    while missing := recorder.missing:
        if time.monotonic() > deadline:
            raise PerceptionError(f"the node does not publish {', '.join(missing)}; are its outputs switched off?")
        time.sleep(0.05)
    time.sleep(0.3)  # both sides must have discovered each other, and only one of them can be asked
