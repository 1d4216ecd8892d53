# SPDX-License-Identifier: Apache-2.0
"""What a LiDAR's intensities are measured in: every driver has a scale of its own, and a frame's are 0–1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SWEEPS = 20
"""The scale is learnt from so many sweeps, two seconds at 10 Hz, and then kept."""

OUTLIERS, HANDFUL = 0.001, 20
"""Share of a sweep's points that may say more than the scale has, and one more: single readings out of range.

Of fewer points than a handful none may."""

COMMON: tuple[float, ...] = (1.0, 100.0, 255.0)
"""Scales that a highest value lies just below: shares, percent, bytes."""

WIDE: tuple[float, ...] = (4095.0, 65535.0)
"""Scales of 12 and 16 bits, which a sensor reaches or does not use."""

MARGIN = 1.02
"""How far the highest value may lie above a scale."""

CONTRADICTIONS = 5
"""Sweeps far above the scale that is kept before it counts as wrong."""


class IntensityScale:
    """Learns which intensity means 1, for one LiDAR; a recording's is learnt once, before its sweeps are used.

    It grows while it is learnt, and afterwards only where sweep after sweep contradicts it. A dark place is no other
    sensor: it shrinks only where as many sweeps as it was learnt from hold nothing but fractions up to 1.
    """

    def __init__(self) -> None:
        self.described = "nothing yet"
        self._highs: list[float] = []
        self._contradictions: list[float] = []
        self._shares = 0
        self._kept: float | None = None
        self._counts, self._field = True, ""
        self._words: list[str] = []
        self._told = self._settled = False

    def normalise(self, intensity: NDArray[np.float32], field: str, dtype: np.dtype[np.generic], given: float) -> None:
        """Scale (N,) intensities of a sweep to 0–1, in place. They must be finite.

        field, dtype: what the cloud calls them and what it holds. given: the value that means 1, where a user says so;
        0 to learn it.
        """
        if given:
            maximum, how = given, "as the parameter says"
        elif dtype == np.uint8:
            maximum, how = 255.0, "8 bits"
        else:
            maximum = self._learn(intensity, field, dtype.kind in "iu")
            how = "learnt" if self._kept else f"learnt from {len(self._highs)} of {SWEEPS} sweeps"
        self.described = f"0–{maximum:.5g} of {field}, {how}"
        if maximum != 1.0:
            intensity /= np.float32(maximum)
        np.clip(intensity, 0.0, 1.0, out=intensity)

    def lack(self, fields: str) -> None:
        """A sweep came without intensity. fields: those that it has."""
        self.described = "none"
        if not self._told:
            self._told = True
            self._words.append(f"intensity: none, nor reflectivity, among {fields}; it is 0 for every point")

    def settle(self) -> None:
        """Keep what was learnt so far, whatever comes."""
        if self._highs and self._kept is None:
            self._keep()
        self._settled = True

    def words(self) -> list[str]:
        """What the user should know, each once."""
        words, self._words = self._words, []
        return words

    def _learn(self, intensity: NDArray[np.float32], field: str, counts: bool) -> float:
        if self._kept is not None:
            if not self._settled:
                self._check(intensity, field)
            return self._kept
        high = _high(intensity)
        if high > 0:
            self._counts = self._counts and (counts or _are_counts(intensity))
            self._highs.append(high)
            self._field = field
        if len(self._highs) == SWEEPS:
            self._keep()
        return self._kept or self._estimate()

    def _keep(self) -> None:
        self._kept = self._estimate()
        if self._kept != 1.0:
            self._words.append(
                f"intensity: field '{self._field}' goes up to {max(self._highs):.4g}, so 0–{self._kept:.4g} counts as "
                "0–1; lidar.intensity_max says otherwise"
            )

    def _check(self, intensity: NDArray[np.float32], field: str) -> None:
        """Learn again where sweeps go on to be far above the scale that is kept, or are of another kind."""
        assert self._kept is not None
        shares = self._kept > 20 and intensity.max() <= MARGIN and (np.floor(intensity) != intensity).any()
        self._shares = self._shares + 1 if shares else 0
        if self._shares == SWEEPS:
            before, self._kept, self._counts = self._kept, 1.0, False
            self._words.append(
                f"intensity: field '{field}' holds fractions of 1, no more the 0–{before:.4g} of before (another "
                "LiDAR?); from now on 0–1 counts"
            )
        # A highest value that is the scale itself is no limit that the sensor has.
        margin = MARGIN if self._kept in COMMON + WIDE else 2.0
        if np.count_nonzero(intensity > margin * self._kept) <= _left_out(len(intensity)):
            return
        self._contradictions.append(_high(intensity))
        if len(self._contradictions) == CONTRADICTIONS:
            before, self._highs, self._contradictions = self._kept, self._contradictions, []
            self._kept = max(before, self._estimate())
            self._words.append(
                f"intensity: field '{field}' goes up to {max(self._highs):.4g}, beyond the 0–{before:.4g} of before; "
                f"from now on 0–{self._kept:.4g} counts as 0–1"
            )

    def _estimate(self) -> float:
        """The scale by the sweeps so far; from the fifth on a single one that is far brighter says nothing."""
        if not self._highs:
            return 1.0
        high = sorted(self._highs)[-2 if len(self._highs) >= CONTRADICTIONS else -1]
        for scale in COMMON[1:] if self._counts else COMMON:
            # Shares may be a little above 1, and are then not percent.
            if high <= MARGIN * scale and (self._counts or scale <= 1.0 or high > 0.2 * scale):
                return scale
        return next((scale for scale in WIDE if 0.9 * scale < high <= MARGIN * scale), high)


def _left_out(count: int) -> int:
    """How many of so many points may be out of range; of a handful none."""
    return int(OUTLIERS * count) + (count >= HANDFUL)


def _high(intensity: NDArray[np.float32]) -> float:
    """The highest value but for those out of range."""
    place = len(intensity) - 1 - _left_out(len(intensity))
    return float(np.partition(intensity, place)[place])


def _are_counts(intensity: NDArray[np.float32]) -> bool:
    """Whether the values are whole numbers, which shares of 1 are not; a handful, or a single value, says nothing."""
    if len(intensity) < HANDFUL or (intensity == intensity[0]).all():
        return False
    return bool((np.floor(intensity) == intensity).all())
