# SPDX-License-Identifier: Apache-2.0
"""`perception replay`: a rosbag2 or a KITTI drive as live topics."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perception.cli.shared import add_topics, not_negative, positive
from perception.disk import write_json
from perception.errors import DataError
from perception.extras import needs
from perception.reporting.keyboard import RIGHT, keys

if TYPE_CHECKING:
    from perception.ros.replay import Published, Replay, Summary

SUMMARY = "publish a rosbag2 or a KITTI raw drive as live topics, in real time"

KEYS = "space halts and goes on, → or s publishes the next instant, q ends"

EXAMPLES = """\
perception replay out/demo/bag
perception replay ~/kitti/2011_09_26/2011_09_26_drive_0005_sync --loop
perception replay bag --topics rig.yaml         # also under the names that the node listens to by itself
perception replay bag --only /image /camera_info --remap /image:=/camera/image_rect_color
perception replay bag --rate 0.5 --start 10 --duration 5 --wait-for /image
perception replay bag --clock        # with nodes that run with use_sim_time:=true
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception replay`."""
    parser.add_argument("path", type=Path, help="rosbag2 folder (mcap or sqlite3), or a KITTI raw drive's folder")
    parser.add_argument("--rate", type=positive, default=1.0, help="speed, 2 is twice as fast (default: 1)")
    parser.add_argument("--loop", action="store_true", help="begin anew at the end, until Ctrl-C")
    parser.add_argument("--start", type=not_negative, default=0.0, metavar="S", help="skip the first S seconds")
    parser.add_argument("--duration", type=positive, metavar="S", help="publish S seconds of the recording")
    parser.add_argument("--only", nargs="+", metavar="TOPIC", help="only these topics, by their recorded names")
    parser.add_argument(
        "--remap", nargs="+", default=[], type=_remapping, metavar="FROM:=TO", help="publish topics under other names"
    )
    add_topics(parser, "--preset", action=_Topics)
    parser.add_argument("--paused", action="store_true", help=f"begin halted; in a terminal, {KEYS}")
    parser.add_argument(
        "--stamps",
        choices=("now", "bag"),
        help="now: headers say when the message is published; bag: what was recorded (default: now, with --clock bag)",
    )
    parser.add_argument("--clock", action="store_true", help="publish the recording's time on /clock")
    parser.add_argument(
        "--wait-for", nargs="+", default=[], metavar="TOPIC", help="begin when each of these topics has a subscriber"
    )
    parser.add_argument(
        "--wait-timeout",
        type=positive,
        default=30.0,
        metavar="S",
        help="give up waiting after S seconds (default: 30)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write what was published to FILE")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write a page of it, and of the answers of a node /perception, to FILE",
    )


def run(args: argparse.Namespace) -> int:
    """Replay until the recording's end or Ctrl-C."""
    stop = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):  # before ROS is loaded, which takes seconds on a busy machine
        signal.signal(signum, lambda *_: stop.set())
    from perception.ros.dds import use_profile
    from perception.ros.imports import require_rclpy

    use_profile()
    require_rclpy()
    import rclpy
    from rclpy.signals import SignalHandlerOptions
    from rich.console import Console

    from perception.assembly.settings.naming import name_topics, rig_beside, second_names
    from perception.recordings.opening import BAG, kind_of, open_messages
    from perception.recordings.pace import Pace
    from perception.ros.replay import Replay
    from perception.ros.watch.audience import Audience

    if args.report:
        with needs("--report", "report"):
            from perception.ros.watch.replay_report import replay_page
    pace = Pace()
    if args.paused:
        pace.toggle()
    remap = dict(args.remap)
    console = Console(stderr=True, highlight=False)
    with closing(open_messages(args.path)) as source, ExitStack() as stack:
        rig = rig_beside(args.path) if kind_of(args.path) == BAG else None
        naming = name_topics(source.topics, args.topics, rig)
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
                topics=args.only,
                remap={**moved, **remap},
                also=also,
                rate=args.rate,
                start=args.start,
                duration=args.duration,
                stamps=args.stamps or ("bag" if args.clock else "now"),
                clock=args.clock,
                pace=pace,
            )
            for topic, type_name in replay.skipped.items():
                console.print(f"{topic} is left out: {type_name} is not installed")
            replay.wait_for_subscribers(args.wait_for, args.wait_timeout, stop)
            with keys({" ": pace.toggle, "s": pace.step, RIGHT: pace.step, "q": stop.set}) as listening:
                if listening:
                    console.print(KEYS, style="dim")
                names = {**also, **moved, **remap}
                audience = stack.enter_context(Audience(node, source.topics, names, images=bool(args.report)))
                summary = _play(replay, stop, args.loop, console, audience.note)
            if args.report:
                replay_page(audience, args.path.name, summary).write(args.report)
            slow = audience.falls_behind()
        finally:
            stack.close()
            node.destroy_node()
            rclpy.try_shutdown()  # type: ignore[attr-defined]
    _report(summary, slow, args.json)
    if summary.broken:
        raise DataError(summary.broken)
    return 0


def _play(
    replay: Replay, stop: threading.Event, loop: bool, console: object, note: Callable[[Published], None]
) -> Summary:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:  # type: ignore[arg-type]
        task = progress.add_task("messages", total=None if loop else replay.message_count)

        def published(message: Published) -> None:
            note(message)
            progress.advance(task)

        return replay.run(stop, loop, published)


def _report(summary: Summary, slow: list[str], path: Path | None) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(title=f"published in {summary.seconds:.1f} s, at most {summary.late_ms:.1f} ms late")
    table.add_column("topic")
    table.add_column("messages", justify="right")
    for topic, count in sorted(summary.messages.items()):
        table.add_row(topic, str(count))
    console, unstamped = Console(), {topic: count for topic, count in summary.unstamped.items() if count}
    console.print(table)
    for topic, count in unstamped.items():
        words = f"{topic}: {count} header stamps were zero; the time of recording took their place"
        console.print(words, highlight=False, soft_wrap=True)
    for words in slow:
        console.print(words, highlight=False, soft_wrap=True)
    if path:
        content = {
            "messages": summary.messages,
            "seconds": summary.seconds,
            "late_ms": summary.late_ms,
            "unstamped": unstamped,
            "falls_behind": slow,
        }
        write_json(path, content)


class _Topics(argparse.Action):
    """--topics NAME|FILE; a recorded name, of which it took a list before, goes to --only with a word."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        if values.startswith("/") and not values.endswith((".yaml", ".yml")):
            print(f"{parser.prog}: {option} with recorded topics is called --only now", file=sys.stderr)
            namespace.only = [values]
        else:
            namespace.topics = values


def _remapping(text: str) -> tuple[str, str]:
    source, separator, target = text.partition(":=")
    if not (source and separator and target):
        raise argparse.ArgumentTypeError(f"'{text}' is not of the form FROM:=TO")
    return source, target
