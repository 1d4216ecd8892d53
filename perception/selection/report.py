# SPDX-License-Identifier: Apache-2.0
"""What `perception select` chose."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A frame to label by hand, rank 1 first.

    image: its name in the folder, image/NAME.png. input: the recording; labelled: the folder of its labels; frame:
    its name in both. values: of each signal, null where it was not measured: the share of the image that a sensor
    overturns, of near points that contradict their label, of unsure pixels and of those that flicker; for rare, −ln of
    the share of frames that hold its rarest class. tails: the share of the frames with at least as much. score: −Σ ln
    of the tails. reasons: in words.
    """

    rank: int
    image: str
    input: str
    labelled: str
    frame: str
    stamp_ns: int
    score: float
    values: dict[str, float | None]
    tails: dict[str, float]
    reasons: list[str]


@dataclass(frozen=True, kw_only=True)
class SelectReport:
    """The JSON of `perception select`, which is select.json in its folder, too.

    frames, drives: that were looked at. measured: frames by signal. holding: share of the frames that hold a class.
    left_out: recordings, and frames as RECORDING:FRAME, that could not be read, each with the reason. files: what was
    written for annotation tools.
    """

    frames: int
    drives: int
    model: str
    measured: dict[str, int]
    holding: dict[str, float]
    notes: list[str]
    left_out: dict[str, str]
    files: list[str]
    seconds: float
    chosen: list[Chosen]
