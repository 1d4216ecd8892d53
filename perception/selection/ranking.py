# SPDX-License-Identifier: Apache-2.0
"""How much speaks for each frame of a fleet, and why, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND
from perception.selection.labelled import Measured
from perception.selection.signals import CONFIDENCE, FLICKER, POINTS, PRESENT, RARE, SENSORS, SIGNALS, UNSURE

TOLD = 0.2
"""A signal is named as a reason where at most this share of the frames has as much of it."""


@dataclass(frozen=True)
class Ranking:
    """All frames of all drives, one after the other, F in total.

    drives: (F,) number of the drive of each; frames: (F,) number within the drive. values: (F,) by signal, NaN where
    it was not measured. tails: (F,) by signal, the share of the measured frames that have at least as much; 1 for
    nothing. scores: (F,) −Σ ln(tail): Fisher's way to combine independent tests (Statistical Methods for Research
    Workers, 1932), which needs no common unit and lets a frame count that is extreme in one thing alone. rarest: (F,)
    the rarest class of each, 0 for none; holding: (K,) share of the frames that hold a class.
    """

    drives: NDArray[np.int64]
    frames: NDArray[np.int64]
    values: dict[str, NDArray[np.float32]]
    tails: dict[str, NDArray[np.float64]]
    scores: NDArray[np.float64]
    rarest: NDArray[np.int64]
    holding: NDArray[np.float64]

    def reasons(self, number: int, measured: Measured) -> list[str]:
        """Why the frame was chosen, the rarest thing first: what at most TOLD of the frames have, else whatever it has
        most of."""
        order = sorted(SIGNALS, key=lambda signal: float(self.tails[signal][number]))
        named = [signal for signal in order if self.tails[signal][number] <= TOLD]
        if not named:
            named = [signal for signal in order[:1] if self.tails[signal][number] < 1]
        told = [
            f"{self._words(signal, number, measured)}: {_share(self.tails[signal][number])} of the frames "
            f"have {'as rare a class' if signal == RARE else 'as much'}"
            for signal in named
        ]
        return told or ["nothing stands out; it looks unlike the others"]

    def _words(self, signal: str, number: int, measured: Measured) -> str:
        value, frame = float(self.values[signal][number]), int(self.frames[number])
        if signal == SENSORS:
            sensor = measured.sensors[frame]
            return f"{sensor} contradicts what the other sensors are sure of on {value:.2%} of the image"
        if signal == POINTS:
            return f"{value:.1%} of the near points contradict their label by their height above the ground"
        if signal == CONFIDENCE:
            return f"the network is unsure (below {UNSURE:.0%}) on {value:.1%} of the image"
        if signal == FLICKER:
            return f"{value:.2%} of the image has another class than in the frames before and after"
        rarest = int(self.rarest[number])
        return f"{measured.drive.classes.names[rarest]} on {measured.shares[frame, rarest]:.2%} of the image"


def rank(measured: Sequence[Measured]) -> Ranking:
    """Rank the frames of all drives."""
    counts = [len(each.names) for each in measured]
    shares = np.concatenate([each.shares for each in measured])
    holds = shares >= PRESENT
    holds[:, BACKGROUND] = False
    holding = holds.mean(axis=0) if len(shares) else np.zeros(shares.shape[1])
    rarity = np.where(holding > 0, np.log(1 / np.maximum(holding, 1e-12)), 0)
    rare = np.where(holds, rarity, 0)
    values = {
        signal: np.concatenate([each.values[signal] for each in measured])
        for signal in (SENSORS, POINTS, CONFIDENCE, FLICKER)
    } | {RARE: rare.max(axis=1).astype(np.float32)}
    tails = {signal: _tails(values[signal]) for signal in SIGNALS}
    return Ranking(
        drives=np.repeat(np.arange(len(measured)), counts),
        frames=np.concatenate([np.arange(count) for count in counts]),
        values=values,
        tails=tails,
        scores=np.sum([np.log(1 / each) for each in tails.values()], axis=0),
        rarest=np.where(holds.any(axis=1), np.where(holds, rarity, -1).argmax(axis=1), BACKGROUND),
        holding=holding,
    )


def _tails(values: NDArray[np.float32]) -> NDArray[np.float64]:
    """(F,) the share of the measured values that are at least as high; 1 where there is nothing."""
    known = np.sort(values[~np.isnan(values)])
    found = np.ones(len(values))
    some = np.nan_to_num(values, nan=0) > 0
    found[some] = (len(known) - np.searchsorted(known, values[some], side="left")) / max(1, len(known))
    return found


def _share(tail: float) -> str:
    return f"{tail:.1%}" if tail < 0.1 else f"{tail:.0%}"
