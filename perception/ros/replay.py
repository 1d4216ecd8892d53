# SPDX-License-Identifier: Apache-2.0
"""Recordings → live topics, in real time: the messages that a vehicle published then are published again.

Messages are published as the recorded bytes. The messages of one instant are read and stamped before they are due, so
that only publishing remains to be done then.
"""

from __future__ import annotations

import importlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rosgraph_msgs.msg import Clock

from perception.assembly.settings.topic import Topic
from perception.bags.sources import Source
from perception.bags.writer import TYPES, RawMessage
from perception.errors import DataError, PerceptionError
from perception.messages.stamps import read_stamp, with_stamp
from perception.recordings.pace import Pace
from perception.ros.tf.message import TF_MESSAGE, tf_message_class

LEAD_S = 0.1
"""Between the start of a replay and its first message: time to read that message."""

CLOCK_PERIOD_S = 0.02

_LISTS = {TF_MESSAGE: "transforms", "visualization_msgs/msg/MarkerArray": "markers"}
"""Types that are lists of elements with a header each, and the lists' names."""


class Published(NamedTuple):
    """A published message. recorded_ns: its own stamp in the recording; stamp_ns: the stamp that it was published with.

    unstamped: whether it had no stamp, so that the time of its recording is used.
    """

    topic: str
    recorded_ns: int
    stamp_ns: int
    unstamped: bool = False


class Stamped(NamedTuple):
    """A message as it is published, its stamp [ns], and whether it had one."""

    data: bytes
    stamp_ns: int
    unstamped: bool = False


Stamper = Callable[[RawMessage, int], Stamped]
"""Adds so many nanoseconds to the stamps of a message."""


@dataclass
class Summary:
    """The result of a replay. messages: how many by topic. late_ms: the most that a message was late.

    late_by_second: the same by the second of the replay. unstamped: how many by topic had a stamp of zero, which was
    replaced by the time of their recording. broken: why it ended before the recording does, if it did.
    """

    messages: dict[str, int] = field(default_factory=dict)
    late_ms: float = 0.0
    late_by_second: dict[int, float] = field(default_factory=dict)
    unstamped: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    broken: str = ""


@dataclass(frozen=True)
class ReplayReport:
    """The JSON of `perception replay`: see `Summary`. falls_behind: a line per node that does not keep up."""

    messages: dict[str, int]
    seconds: float
    late_ms: float
    unstamped: dict[str, int]
    falls_behind: list[str]


class Replay:
    """Publishes a recording through `node`.

    topics: which to publish, all by default; remap: new names by recorded name; also: second names by recorded name,
    under which a message is published too once there is a subscriber. rate: 2 is twice as fast.
    start: where to begin, in seconds after the recording's first message; duration: how many seconds of the recording.
    stamps: "now" adds to every header's stamp the time from the message's recording to its publication, so that
    sensors seem to measure now; "bag" keeps the stamps. In both cases a stamp of zero becomes the time of recording.
    clock: publish /clock with the recording's time, as simulated time needs it. pace: pauses and resumes the
    replay. Topics whose message type is not installed are left out and named in `skipped`.
    Raises DataError for topics that the recording does not have and for a time span without messages.
    """

    def __init__(
        self,
        node: Node,
        source: Source,
        *,
        topics: Collection[str] | None = None,
        remap: Mapping[str, str] | None = None,
        also: Mapping[str, str] | None = None,
        rate: float = 1.0,
        start: float = 0.0,
        duration: float | None = None,
        stamps: str = "now",
        clock: bool = False,
        pace: Pace | None = None,
    ) -> None:
        self._source, self._rate, self._move_stamps = source, rate, stamps == "now"
        self._pace = pace or Pace()
        self._begin_ns = source.start_ns + round(start * 1e9)
        self._end_ns = source.end_ns if duration is None else min(source.end_ns, self._begin_ns + round(duration * 1e9))
        if self._begin_ns > self._end_ns:
            seconds = (source.end_ns - source.start_ns) / 1e9
            raise DataError(f"start {start:g} s is after the recording's end at {seconds:.1f} s")
        chosen = _choose(source, topics)
        self.skipped: dict[str, str] = {}
        """Types that are not installed, by topic."""
        self._stampers: dict[str, Stamper] = {}
        self._publishers: dict[str, list[Publisher]] = {}
        for name in chosen:
            topic = source.topics[name]
            kind = message_class(topic.type)
            if kind is None:
                self.skipped[name] = topic.type
                continue
            self._stampers[name] = _stamper(topic.type, kind)
            names = [(remap or {}).get(name, name), *([also[name]] if also and name in also else [])]
            self._publishers[name] = [node.create_publisher(kind, each, _qos(topic)) for each in names]
        self._latched = [name for name in self._publishers if source.topics[name].latched]
        self._clock = node.create_publisher(Clock, "/clock", 10) if clock else None

    @property
    def message_count(self) -> int:
        """How many messages the published topics have in the whole recording."""
        return sum(self._source.topics[name].messages for name in self._publishers)

    def wait_for_subscribers(self, topics: Sequence[str], timeout: float, stop: threading.Event | None = None) -> None:
        """Return when each of `topics` (recorded names) has a subscriber, or `stop` is set.

        Raises PerceptionError if `timeout` [s] passes first, DataError for topics that are not replayed.
        """
        unknown = [name for name in topics if name not in self._publishers]
        if unknown:
            raise DataError(
                f"{unknown[0]}: not replayed, so it cannot be waited for; replayed: {', '.join(self._publishers)}"
            )
        deadline = time.monotonic() + timeout
        while lonely := [name for name in topics if not any(map(_is_heard, self._publishers[name]))]:
            if time.monotonic() > deadline:
                raise PerceptionError(f"no subscriber of {', '.join(lonely)} within {timeout:g} s")
            if (stop or threading.Event()).wait(0.05):
                return

    def run(
        self,
        stop: threading.Event | None = None,
        loop: bool = False,
        on_publish: Callable[[Published], None] | None = None,
    ) -> Summary:
        """Publish until the end, or until the recording is broken, or for ever with `loop`, or until `stop` is set."""
        stop, summary, began = stop or threading.Event(), Summary(), time.monotonic()
        while not stop.is_set():
            try:
                self._play(stop, on_publish or (lambda _: None), summary, began)
            except DataError as error:
                summary.broken = str(error)
            if not loop or summary.broken:
                break
        summary.seconds = time.monotonic() - began
        return summary

    def _play(
        self, stop: threading.Event, on_publish: Callable[[Published], None], summary: Summary, began: float
    ) -> None:
        # The wall clock gives the stamps, the monotonic clock the pace: setting the clock does not disturb the replay.
        start_wall, start_mono = time.time_ns() + round(LEAD_S * 1e9), time.monotonic() + LEAD_S
        self._pace.restart()
        for stamp_ns, messages in self._instants():
            elapsed, held = max(0.0, (stamp_ns - self._begin_ns) / 1e9 / self._rate), self._pace.held
            ready = self._stamped(messages, start_wall + round((elapsed + held) * 1e9) - stamp_ns)
            if not self._sleep_until(start_mono + elapsed, stamp_ns, stop):
                return
            if self._pace.held != held:  # paused meanwhile, so that the stamps are no longer right
                held = self._pace.held
                ready = self._stamped(messages, start_wall + round((elapsed + held) * 1e9) - stamp_ns)
            late_ms, second = (time.monotonic() - start_mono - elapsed - held) * 1e3, int(time.monotonic() - began)
            summary.late_ms = max(summary.late_ms, late_ms)
            summary.late_by_second[second] = max(summary.late_by_second.get(second, 0.0), late_ms)
            for topic, data, published in ready:
                for number, publisher in enumerate(self._publishers[topic]):
                    if not number or topic in self._latched or _is_heard(publisher):
                        publisher.publish(data)
                summary.messages[topic] = summary.messages.get(topic, 0) + 1
                summary.unstamped[topic] += published.unstamped
                on_publish(published)

    def _stamped(self, messages: list[RawMessage], shift: int) -> list[tuple[str, bytes, Published]]:
        """The messages to publish: with `shift` [ns] added to their stamps, unless the recording's stamps are
        wanted."""
        shift, ready = shift if self._move_stamps else 0, []
        for message in messages:
            data, stamp_ns, bare = self._stampers[message.topic](message, shift)
            ready.append((message.topic, data, Published(message.topic, stamp_ns - shift, stamp_ns, bare)))
        return ready

    def _instants(self) -> Iterator[tuple[int, list[RawMessage]]]:
        """Messages by the time of their recording; first those that were latched before the replay's start."""
        earlier = self._source.messages(self._latched, self._source.start_ns, self._begin_ns - 1)
        if latched := list(earlier):
            yield self._begin_ns, latched
        messages = self._source.messages(list(self._publishers), self._begin_ns, self._end_ns)
        for stamp_ns, group in groupby(messages, key=lambda message: message.stamp_ns):
            yield stamp_ns, list(group)

    def _sleep_until(self, moment: float, bag_ns: int, stop: threading.Event) -> bool:
        """Sleep until `moment` [monotonic s], when the recording's time is bag_ns; False if stopped."""

        def tick(left: float) -> float:
            if self._clock is None:
                return left
            self._clock.publish(_clock(bag_ns - round(left * self._rate * 1e9)))
            return min(left, CLOCK_PERIOD_S)

        if not self._pace.wait(moment, stop, tick):
            return False
        if self._clock:
            self._clock.publish(_clock(bag_ns))
        return not stop.is_set()


def _is_heard(publisher: Publisher) -> bool:
    return publisher.get_subscription_count() > 0


def _choose(source: Source, topics: Collection[str] | None) -> list[str]:
    if topics is None:
        return list(source.topics)
    missing = [name for name in topics if name not in source.topics]
    if missing:
        raise DataError(f"{missing[0]}: not in the recording, which has {', '.join(sorted(source.topics))}")
    return list(topics)


def message_class(type_name: str) -> Any:
    """The rclpy class of e.g. "sensor_msgs/msg/Image", or None if its package is not installed."""
    if type_name == TF_MESSAGE:
        return tf_message_class()
    package, _, name = type_name.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError):
        return None


def _stamper(type_name: str, kind: Any) -> Stamper:
    """How the stamps of that type are changed; types without stamps are published unchanged."""
    if type_name in _LISTS:
        return partial(_move_list, type_name)
    first_field = next(iter(kind.get_fields_and_field_types().values()), None)
    return _move_header if first_field == "std_msgs/Header" else _leave


def _move_header(raw: RawMessage, shift: int) -> Stamped:
    own = read_stamp(raw.data)
    stamp_ns = (own or raw.stamp_ns) + shift
    return Stamped(raw.data if own == stamp_ns else with_stamp(raw.data, stamp_ns), stamp_ns, not own)


def _move_list(type_name: str, raw: RawMessage, shift: int) -> Stamped:
    message: Any = TYPES.deserialize_cdr(raw.data, type_name)
    latest = 0
    for each in getattr(message, _LISTS[type_name]):
        stamp = each.header.stamp
        latest = (stamp.sec * 1_000_000_000 + stamp.nanosec or raw.stamp_ns) + shift
        stamp.sec, stamp.nanosec = divmod(latest, 1_000_000_000)
    return Stamped(bytes(TYPES.serialize_cdr(message, type_name)), latest)


def _leave(raw: RawMessage, shift: int) -> Stamped:
    return Stamped(raw.data, shift)


def _qos(topic: Topic) -> QoSProfile:
    return QoSProfile(
        depth=min(topic.messages, 100) if topic.latched else 5,
        reliability=ReliabilityPolicy.RELIABLE if topic.reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.latched else DurabilityPolicy.VOLATILE,
    )


def _clock(stamp_ns: int) -> Clock:
    message = Clock()
    message.clock.sec, message.clock.nanosec = divmod(stamp_ns, 1_000_000_000)
    return message
