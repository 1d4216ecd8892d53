# SPDX-License-Identifier: Apache-2.0
"""What came of labelling, input by input and as a whole."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from perception.classes import CLASS_NAMES
from perception.labelling.contradiction import ENOUGH, TOO_MUCH
from perception.reporting.reports import INLINE

LONGEST = 80
"""Characters of a cause."""

_OF_FILE = re.compile(r"^[^:]*/[^:]*: ")


@dataclass(frozen=True)
class Overturn:
    """How much a sensor changes of what the others are sure of: median and most of the shares of some frames' images.

    frame: the name of that where it is most.
    """

    frames: int
    share: float
    most: float
    frame: str


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What the frames' records say together.

    frames: all of them; labelled: now; kept: before; failed: why, by name. sensors: frames by sensor; weights: how much
    each counted; absent, complaints: how often, by reason. share: of the pixels, by class.
    """

    frames: int
    labelled: int
    kept: int
    failed: dict[str, str]
    sensors: dict[str, int]
    weights: dict[str, float]
    overturns: dict[str, Overturn]
    absent: dict[str, int]
    complaints: dict[str, int]
    share: dict[str, float]


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What labelled."""

    model: str
    weights_sha256: str
    engine: str
    versions: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """An input that was labelled.

    remarks: what is to be said of how it was read. broken: why it ends too early; empty where it does not. seconds: by
    step. ran_on: host and process. drive_s: from the first frame to the end of the last; None for images, which have no
    times. attempts: how often it was begun.
    """

    input: str
    output: str
    summary: Summary = field(metadata=INLINE)
    remarks: list[str]
    broken: str
    topics_left_out: list[str]
    fps: float | None
    seconds: dict[str, float]
    provenance: Provenance = field(metadata=INLINE)
    ran_on: str
    drive_s: float | None = None
    attempts: int = 1


REFUSED, STORAGE, LOST, FAULT = "refused", "storage", "lost", "fault"
"""What an input can fail by: it cannot be used as it is; files could not be read or written just now; its worker or
machine ended; the program has a fault."""


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An input that was not labelled, and why. cause: refused, storage, lost or fault. attempts: how often it was
    begun."""

    input: str
    output: str
    error: str
    cause: str = REFUSED
    attempts: int = 1


@dataclass(frozen=True, kw_only=True)
class Worst:
    """An input that something is wrong with. missing: the part of its frames that has no labels; why: in a line."""

    input: str
    missing: float
    why: str


@dataclass(frozen=True, kw_only=True)
class LabelReport:
    """The JSON of `perception label`: sums, and shares by frames. seconds: from the first to the last. hours: of drive,
    as far as recordings have times. retried: attempts beyond the first. failures: of inputs and of frames, by cause.
    worst: inputs that something is wrong with, the worst first.

    An input that could not be labelled has input, output, `error`, which says why, `cause` and `attempts` alone.
    """

    frames: int
    labelled: int
    failed: int
    seconds: float
    fps: float
    share: dict[str, float]
    hours: float
    retried: int
    failures: dict[str, int]
    worst: list[Worst]
    provenance: Provenance | None = field(default=None, metadata=INLINE)
    inputs: list[Labelled | Refused]

    @property
    def good(self) -> list[Labelled]:
        """The inputs that were labelled."""
        return [each for each in self.inputs if isinstance(each, Labelled)]


def total(inputs: Sequence[Labelled | Refused], seconds: float) -> LabelReport:
    """One report of several."""
    good = [each for each in inputs if isinstance(each, Labelled)]
    frames, labelled = sum(each.summary.frames for each in good), sum(each.summary.labelled for each in good)
    names = good[0].summary.share if good else CLASS_NAMES  # one network labels every input
    shares = {
        name: round(sum(each.summary.share[name] * each.summary.frames for each in good) / max(1, frames), 5)
        for name in names
    }
    return LabelReport(
        frames=frames,
        labelled=labelled,
        failed=sum(len(each.summary.failed) for each in good),
        seconds=round(seconds, 2),
        fps=round(labelled / seconds, 2),
        share=shares,
        hours=round(sum(each.drive_s or 0.0 for each in good) / 3600, 4),
        retried=sum(each.attempts - 1 for each in inputs),
        failures=dict(Counter(map(cause_of, _errors(inputs))).most_common()),
        worst=sorted(filter(None, map(_worst, inputs)), key=lambda each: (-each.missing, each.input)),
        provenance=good[0].provenance if good else None,
        inputs=list(inputs),
    )


def cause_of(error: str) -> str:
    """What errors of one kind have in common: without the file in front, numbers, and what follows the first clause."""
    clause = re.split(r"[;(]", _OF_FILE.sub("", error), maxsplit=1)[0]
    return re.sub(r"\b\d+", "N", clause).strip(" :")[:LONGEST] or error[:LONGEST]


def _errors(inputs: Sequence[Labelled | Refused]) -> Iterator[str]:
    for each in inputs:
        if isinstance(each, Refused):
            yield each.error
        else:
            yield from each.summary.failed.values()
            yield from filter(None, [each.broken])


def _worst(each: Labelled | Refused) -> Worst | None:
    """None where nothing is wrong."""
    if isinstance(each, Refused):
        return Worst(input=each.input, missing=1.0, why=each.error)
    summary = each.summary
    said = [f"{len(summary.failed)} frames: {cause_of(next(iter(summary.failed.values())))}"] if summary.failed else []
    said += filter(None, [each.broken])
    said += [
        f"{sensor} contradicts the others on {seen.share:.1%} of the image"
        for sensor, seen in summary.overturns.items()
        if seen.share >= TOO_MUCH and seen.frames >= ENOUGH
    ]
    if not said:
        return None
    return Worst(input=each.input, missing=round(len(summary.failed) / max(1, summary.frames), 4), why="; ".join(said))
