# SPDX-License-Identifier: Apache-2.0
"""What came of labelling, input by input and as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from perception.classes import CLASS_NAMES
from perception.reporting.reports import INLINE


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
    step. ran_on: host and process.
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


@dataclass(frozen=True, kw_only=True)
class Refused:
    """An input that was not labelled, and why."""

    input: str
    output: str
    error: str


@dataclass(frozen=True, kw_only=True)
class LabelReport:
    """The JSON of `perception label`: sums, and shares by frames. seconds: from the first to the last.

    An input that could not be labelled has input, output and `error`, which says why, alone.
    """

    frames: int
    labelled: int
    failed: int
    seconds: float
    fps: float
    share: dict[str, float]
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
        provenance=good[0].provenance if good else None,
        inputs=list(inputs),
    )
