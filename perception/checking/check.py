# SPDX-License-Identifier: Apache-2.0
"""A recording → its findings. The frames are the same as in every command; those of a bag come from `Assembler`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.assembly.calibration import read_calibration_file
from perception.assembly.settings.parameters import make_settings
from perception.assembly.settings.topic import Graph
from perception.checking import timing, wiring
from perception.checking.content import BitDepths, Colours, Distances, Intensities, Presence
from perception.checking.findings import SEVERITIES, Finding, finding, worst_first
from perception.checking.geometry import Alignment, GroundPlanes
from perception.checking.influence import Change, Influence
from perception.checking.scan import Heard, Scan, of_graph, scan
from perception.checking.words import heard_words
from perception.errors import DataError
from perception.frame import Frame, Prediction
from perception.ground import Ground
from perception.recordings.opening import open_recording
from perception.sensors.presence import without

SPOILS: frozenset[str] = frozenset(
    (
        *("stamp-zero", "clock-offset", "pairing-low", "topic-type", "encoding", "message-broken", "frozen"),
        *("frame-unknown", "frame-duplicate", "frame-mismatch", "optical-frame", "tf-missing", "tf-conflict"),
        *("tf-broken", "lidar-out-of-view", "info-size", "info-broken", "rectification-unclear", "left-right"),
        *("image-black", "image-constant", "no-values"),
        *("depth-unit", "depth-scale", "depth-unrelated", "sensors-swapped"),
    )
)
"""Findings after which a sensor is not compared with others: further findings would be consequences."""

FOLLOWS: Mapping[str, Collection[str]] = {
    "no-sensor": ("bag-broken",),
    "topic-type": ("encoding", "message-broken", "node-word"),
    "clock-offset": ("pairing-low", "clock-drift"),
    "stamp-repeated": ("messages-dropped", "rate-jitter"),
    "stamp-zero": ("rate-jitter",),
    "stamp-order": ("messages-dropped", "rate-jitter", "clock-drift"),
    "messages-dropped": ("rate-jitter",),
    "rate-low": ("messages-dropped", "rate-jitter", "pairing-low"),
    "frame-unknown": ("tf-missing", "lidar-out-of-view", "frame-mismatch"),
    "frame-duplicate": ("lidar-out-of-view", "optical-frame", "frame-mismatch", "tf-missing"),
    "frame-empty": ("tf-missing",),
    "tf-conflict": ("lidar-out-of-view", "optical-frame", "ground-tf", "ground-sensors", "lidar-misaligned"),
    "optical-frame": ("ground-tf", "lidar-out-of-view"),
    "tf-broken": ("tf-missing",),
    "info-size": ("info-broken", "tf-missing", "camera-info-missing"),
    "sensors-swapped": ("bit-depth", "depth-holes", "depth-unit"),
    "intensity-missing": ("intensity-constant",),
    "ground-tf": ("camera-tilted",),
    "lidar-misaligned": ("ground-sensors", "depth-scale"),
}
"""Findings that only follow from another one of the same sensor, and are not reported beside it."""

EVERYWHERE: frozenset[str] = frozenset(
    (
        *("no-sensor", "frame-unknown", "frame-duplicate", "frame-empty", "tf-conflict", "tf-broken", "optical-frame"),
        *("info-size", "lidar-misaligned"),
    )
)
"""Those of FOLLOWS that affect other sensors too."""


ONCE: frozenset[str] = frozenset(("camera-info-missing",))
"""Findings that are reported only once, even if they concern several places."""


@dataclass(frozen=True)
class TopicRow:
    """A topic with messages. latency_ms: of its messages behind their stamps; None if unknown."""

    topic: str
    type: str
    messages: int
    rate_hz: float | None
    frame_id: str
    latency_ms_p50: float | None
    latency_ms_p95: float | None


@dataclass
class Report:
    """The findings and measurements.

    topics: a row per topic. pairs: see `timing.pairings`. planes: see `GroundPlanes.planes`. alignment: as text.
    changes: see `Influence.table`. pictures: caption and (H, W, 3) RGB.
    """

    source: str
    seconds: float
    frames: int
    looked_at: int
    findings: list[Finding]
    topics: list[TopicRow] = field(default_factory=list)
    pairs: dict[str, timing.Pairing] = field(default_factory=dict)
    planes: dict[str, Ground] = field(default_factory=dict)
    alignment: str = ""
    changes: dict[str, Change] = field(default_factory=dict)
    pictures: list[tuple[str, NDArray[np.uint8]]] = field(default_factory=list)

    def count(self, severity: str) -> int:
        """Findings of that severity."""
        return sum(each.severity == severity for each in self.findings)

    def at_least(self, severity: str) -> bool:
        """Whether there is a finding of that severity or a worse one."""
        return any(self.count(each) for each in SEVERITIES[: SEVERITIES.index(severity) + 1])


class Checks:
    """Every check of the frames, which are added one after the other."""

    def __init__(self, found: Scan) -> None:
        self.presence, self.distances, self.intensities = Presence(), Distances(), Intensities()
        self.depths, self.colours, self.alignment = BitDepths(), Colours(), Alignment()
        self.planes = GroundPlanes(found.tree, found.frames)

    def add(self, frame: Frame, absent: Mapping[str, str]) -> Frame | None:
        """Take a frame, and the sensors that were left out of it; returns the frame without uninformative sensors."""
        told = without(frame, self.presence.add(frame, absent))
        if told is not None:
            for check in (self.distances, self.intensities, self.depths, self.colours, self.alignment, self.planes):
                check.add(told)
        return told

    def findings(self, before: Iterable[Finding], sensor_of: Callable[[str], Collection[str]]) -> Iterator[Finding]:
        """before: earlier findings; sensor_of: returns the sensors that a finding's `where` is about."""
        spoilt: set[str] = set()

        def spoil(found: Iterable[Finding]) -> list[Finding]:
            found = list(found)
            for each in found:
                if each.code in SPOILS:
                    spoilt.update(sensor_of(each.where))
            return found

        spoil(before)
        yield from spoil(self.presence.findings())
        yield from self.intensities.findings()
        yield from self.depths.findings()
        yield from self.colours.findings()
        if "depth" not in spoilt:
            found = self.distances.findings(not {"lidar", "rgb"} & spoilt)
            # A tilted sweep hits other objects, so the depth scale may be right.
            yield from spoil(each for each in found if each.code != "depth-scale" or not self.planes.tilted())
        if "rgb" in spoilt:  # everything is compared with the camera by its calibration or stamps
            return
        yield from self.planes.findings("lidar" not in spoilt, "depth" not in spoilt)
        if "lidar" not in spoilt:
            yield from self.alignment.findings()


def check(
    path: Path,
    topics: Mapping[str, str] | str | None = None,
    calibration: Path | None = None,
    pipeline: Callable[[Frame], Prediction] | None = None,
    looked_at: int = 24,
    compared: int = 3,
    expected: Sequence[str] = (),
    graph: Graph | None = None,
    rig: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Report:
    """Check the recording `path`, as `open_messages` takes it.

    topics, calibration, rig: as in `open_recording`. pipeline: predicts with and without each sensor, in `compared` of
    the `looked_at` frames; None leaves that out. expected: sensors that must be present. graph: the live topics that
    the recording was made from. advance: called after each frame. Raises DataError if there is no recording.
    """
    found, settings = scan(path, topics, graph, rig), make_settings({})
    calibration = calibration or found.calibration
    mounted = calibration is not None and read_calibration_file(calibration).lidar_to_camera is not None
    said = [*wiring.check_topics(found, expected), *wiring.check_qos(found, graph)]
    said += wiring.check_frames(found, mounted)
    said += wiring.check_cameras(found)
    for heard in found.sensors.values():
        said += timing.check_sensor(heard, settings.timing)
    said += timing.check_clocks(found)
    said += timing.check_pairs(found, settings.timing)
    report = Report(f"{path}", found.seconds, 0, 0, [])
    checks, influence = Checks(found), Influence(pipeline) if pipeline is not None else None
    if found.sensors:
        said += _look(found, checks, influence, report, calibration, looked_at, compared, advance)
    sensor_of = partial(_sensors, found)
    said += list(checks.findings(said, sensor_of))
    if influence is not None:
        said += influence.findings()
        report.changes = influence.table()
        report.pictures += [(f"What {name} changes.", each) for name, each in influence.pictures().items()]
    report.findings = _told(said, sensor_of)
    report.topics = [_row(heard) for heard in found.heard.values() if heard.recorded_ns]
    report.pairs = timing.pairings(found, settings.timing)
    report.planes = checks.planes.planes()
    picture = checks.alignment.picture()
    if picture is not None:
        report.alignment = checks.alignment.words()
        report.pictures.insert(0, (f"LiDAR on image: {report.alignment}.", picture))
    return report


def _look(
    found: Scan,
    checks: Checks,
    influence: Influence | None,
    report: Report,
    calibration: Path | None,
    looked_at: int,
    compared: int,
    advance: Callable[[], None],
) -> list[Finding]:
    """Run the checks on frames spread over the recording; returns the node's messages about them."""
    try:
        frames = open_recording(found.path, found.topics, calibration)
    except DataError as error:
        return heard_words([str(error)])
    numbers = _spread(len(frames), looked_at)
    lines, whole = list[str](), list[tuple[int, int]]()
    for number in numbers:
        try:
            frame = frames[number]
        except DataError as error:
            lines.append(str(error).partition(f"{frames.names[number]}: ")[2] or str(error))
        else:
            lines += frames.complaints
            told = checks.add(frame, frames.absent)
            if told is not None:
                whole.append((len(told.modalities), number))
        advance()
    report.frames, report.looked_at = len(frames), len(numbers)
    if influence is not None and whole:
        most = max(count for count, _ in whole)
        full = [number for count, number in whole if count == most]
        for place in _spread(len(full), compared):
            influence.add(frames[full[place]])
            advance()
    return heard_words(frames.remarks) + heard_words(lines, len(numbers))


def _spread(count: int, wanted: int) -> list[int]:
    """Indices, at most so many, evenly over `count`."""
    return np.unique(np.linspace(0, count - 1, min(count, wanted)).round().astype(int)).tolist() if count else []


def _sensors(found: Scan, where: str) -> set[str]:
    """The sensors that a finding's place is about: a topic, a frame or a sensor's name."""
    about = {name for name, heard in found.sensors.items() if where in (heard.topic, heard.frame_id)}
    about |= {heard.sensor for heard in found.heard.values() if heard.topic == where and heard.sensor}
    about |= {name for name in found.sensors if name in where.split(", ")}
    if where.endswith("camera_info"):
        about |= {"depth"} if "depth" in where else {"infrared"} if "infrared" in where else {"rgb"}
    return about


def _told(said: Sequence[Finding], sensor_of: Callable[[str], Collection[str]]) -> list[Finding]:
    """Without findings that follow from others, and without repetitions of one finding for the same place."""
    first: dict[tuple[str, str], Finding] = {}
    for each in said:
        causes = (cause for cause in said if each.code in FOLLOWS.get(cause.code, ()))
        about = set(sensor_of(each.where))
        if not any(cause.code in EVERYWHERE or about & set(sensor_of(cause.where)) for cause in causes):
            first.setdefault((each.code, "" if each.code in ONCE else each.where), each)
    return worst_first(first.values())


def _row(heard: Heard) -> TopicRow:
    late = timing.latencies_s(heard)
    period = heard.period_s
    return TopicRow(
        topic=heard.topic,
        type=heard.type,
        messages=len(heard.recorded_ns),
        rate_hz=round(1 / period, 2) if period > 0 else None,
        frame_id=heard.frame_id,
        latency_ms_p50=round(float(np.median(late)) * 1e3, 1) if len(late) else None,
        latency_ms_p95=round(float(np.percentile(late, 95)) * 1e3, 1) if len(late) else None,
    )


def check_silence(reason: str, topics: Mapping[str, str], graph: Graph) -> Report:
    """The report on live topics that sent nothing, with the `reason`: what their publishers offer may explain it.

    topics, graph: see `check`.
    """
    found = of_graph(Path("live topics"), topics, graph.offered)
    said = [each for each in wiring.check_topics(found) if each.code != "no-sensor"]
    said += [finding("no-sensor", "live topics", reason), *wiring.check_qos(found, graph)]
    return Report("live topics", 0.0, 0, 0, worst_first(said))
