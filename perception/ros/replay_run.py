# SPDX-License-Identifier: Apache-2.0
"""One run of `perception replay`: publishes a recording's topics under the names that the node listens to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from pathlib import Path

import rclpy
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from perception.assembly.settings.naming import name_topics, rig_beside, second_names
from perception.extras import needs
from perception.recordings.opening import BAG, kind_of, open_messages
from perception.recordings.pace import KEYS, Pace
from perception.reporting.keyboard import RIGHT, keys
from perception.ros.replay import Published, Replay, ReplayReport, Summary
from perception.ros.watch.audience import Audience


@dataclass(frozen=True, kw_only=True)
class ReplayOptions:
    """What is published, and how.

    path: a bag or a KITTI drive. topics: as --topics takes them. only: only these topics; remap: new names, by recorded
    names. rate, start, duration, stamps, clock: see `Replay`; stamps None means "now", or "bag" with clock. loop: start
    again at the end. paused: start paused. wait_for: topics that must have a subscriber first, for at most wait_timeout
    seconds. report: a folder for a page about the replay.
    """

    path: Path
    topics: str | None = None
    only: Sequence[str] | None = None
    remap: Mapping[str, str] = field(default_factory=dict)
    rate: float = 1.0
    loop: bool = False
    start: float = 0.0
    duration: float | None = None
    paused: bool = False
    stamps: str | None = None
    clock: bool = False
    wait_for: Sequence[str] = ()
    wait_timeout: float = 30.0
    report: Path | None = None


@dataclass(frozen=True)
class Played:
    """The report, and why the replay ended before the recording does, if it did."""

    report: ReplayReport
    broken: str


def run_replay(options: ReplayOptions, console: Console, stop: threading.Event) -> Played:
    """Replay until the recording's end, or until `stop` is set. console: prints what is published, and progress.

    `rclpy` is initialised and shut down here. Raises PerceptionError for what cannot be replayed in this way.
    """
    if options.report:
        with needs("--report", "report"):
            from perception.ros.watch.replay_report import replay_page
    pace, remap = Pace(), options.remap
    if options.paused:
        pace.toggle()
    with closing(open_messages(options.path)) as source, ExitStack() as stack:
        rig = rig_beside(options.path) if kind_of(options.path) == BAG else None
        naming = name_topics(source.topics, options.topics, rig)
        also, moved = second_names(naming.topics, source.topics)
        also = {topic: remap.get(name, name) for topic, name in also.items() if topic not in remap}
        said = [f"{topic} also as {name}" for topic, name in also.items()]
        said += [f"{topic} as {name}" for topic, name in moved.items() if topic not in remap]
        for line in (*naming.words, *([f"published: {', '.join(said)}"] if said else [])):
            console.print(line, soft_wrap=True, markup=False)
        rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
        node = rclpy.create_node("perception_replay")
        try:
            replay = Replay(
                node,
                source,
                topics=options.only,
                remap={**moved, **remap},
                also=also,
                rate=options.rate,
                start=options.start,
                duration=options.duration,
                stamps=options.stamps or ("bag" if options.clock else "now"),
                clock=options.clock,
                pace=pace,
            )
            for topic, type_name in replay.skipped.items():
                console.print(f"{topic} is left out: {type_name} is not installed")
            replay.wait_for_subscribers(options.wait_for, options.wait_timeout, stop)
            with keys({" ": pace.toggle, "s": pace.step, RIGHT: pace.step, "q": stop.set}) as listening:
                if listening:
                    console.print(KEYS, style="dim")
                names = {**also, **moved, **remap}
                audience = stack.enter_context(Audience(node, source.topics, names, images=bool(options.report)))
                summary = _play(replay, stop, options.loop, console, audience.note)
            if options.report:
                replay_page(audience, options.path.name, summary).write(options.report)
            slow = audience.falls_behind()
        finally:
            stack.close()
            node.destroy_node()
            rclpy.try_shutdown()  # type: ignore[attr-defined]
    unstamped = {topic: count for topic, count in summary.unstamped.items() if count}
    report = ReplayReport(summary.messages, summary.seconds, summary.late_ms, unstamped, slow)
    return Played(report, summary.broken)


def _play(
    replay: Replay, stop: threading.Event, loop: bool, console: Console, note: Callable[[Published], None]
) -> Summary:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("messages", total=None if loop else replay.message_count)

        def published(message: Published) -> None:
            note(message)
            progress.advance(task)

        return replay.run(stop, loop, published)
