# SPDX-License-Identifier: Apache-2.0
"""The scale of a LiDAR's intensities: every driver has its own, and a frame's are 0–1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SWEEPS = 20
"""The scale is learnt from so many sweeps, two seconds at 10 Hz, and then kept."""

OUTLIERS, HANDFUL = 0.001, 20
"""Share of a sweep's points that may exceed the scale, plus one: single readings out of range.

With only a handful of points, none may."""

COMMON: tuple[float, ...] = (1.0, 100.0, 255.0)
"""Scales that are slightly above the highest value: fractions, percent, bytes."""

WIDE: tuple[float, ...] = (4095.0, 65535.0)
"""Scales of 12 and 16 bits, which a sensor reaches or does not use."""

MARGIN = 1.02
"""How far the highest value may be above a scale."""

CONTRADICTIONS = 5
"""The number of sweeps far above the kept scale after which it counts as wrong."""


class IntensityScale:
    """Learns which intensity means 1, for one LiDAR; for a recording it is learnt once, before its sweeps are used.

    The scale grows while it is learnt, and afterwards only if sweep after sweep contradicts it. A dark place is not
    another sensor: the scale shrinks only if as many sweeps as it was learnt from have only fractions up to 1.
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

        field, dtype: the name and type of the cloud's field. given: the value that means 1, if the user sets it;
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
        """A sweep without intensity arrived. fields: those that it has."""
        self.described = "none"
        if not self._told:
            self._told = True
            self._words.append(f"intensity: none, nor reflectivity, among {fields}; it is 0 for every point")

    def settle(self) -> None:
        """Keep the present scale, whatever arrives later."""
        if self._highs and self._kept is None:
            self._keep()
        self._settled = True

    def words(self) -> list[str]:
        """Messages for the user, each once."""
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
                "0–1; set lidar.intensity_max to change this"
            )

    def _check(self, intensity: NDArray[np.float32], field: str) -> None:
        """Learn again if many sweeps are far above the kept scale, or are of another kind."""
        assert self._kept is not None
        shares = self._kept > 20 and intensity.max() <= MARGIN and (np.floor(intensity) != intensity).any()
        self._shares = self._shares + 1 if shares else 0
        if self._shares == SWEEPS:
            before, self._kept, self._counts = self._kept, 1.0, False
            self._words.append(
                f"intensity: field '{field}' has fractions of 1, no longer the 0–{before:.4g} of before (another "
                "LiDAR?); now 0–1 counts"
            )
        # If the highest value is the scale itself, it is not the sensor's limit.
        margin = MARGIN if self._kept in COMMON + WIDE else 2.0
        if np.count_nonzero(intensity > margin * self._kept) <= _left_out(len(intensity)):
            return
        self._contradictions.append(_high(intensity))
        if len(self._contradictions) == CONTRADICTIONS:
            before, self._highs, self._contradictions = self._kept, self._contradictions, []
            self._kept = max(before, self._estimate())
            self._words.append(
                f"intensity: field '{field}' goes up to {max(self._highs):.4g}, beyond the 0–{before:.4g} of before; "
                f"now 0–{self._kept:.4g} counts as 0–1"
            )

    def _estimate(self) -> float:
        """The scale from the sweeps so far; from the fifth sweep, a single one that is far brighter does not count."""
        if not self._highs:
            return 1.0
        high = sorted(self._highs)[-2 if len(self._highs) >= CONTRADICTIONS else -1]
        for scale in COMMON[1:] if self._counts else COMMON:
            # Fractions may be slightly above 1, and are then not percent.
            if high <= MARGIN * scale and (self._counts or scale <= 1.0 or high > 0.2 * scale):
                return scale
        return next((scale for scale in WIDE if 0.9 * scale < high <= MARGIN * scale), high)


def _left_out(count: int) -> int:
    """How many of so many points may be out of range; none of a handful."""
    return int(OUTLIERS * count) + (count >= HANDFUL)


def _high(intensity: NDArray[np.float32]) -> float:
    """The highest value that is not out of range."""
    place = len(intensity) - 1 - _left_out(len(intensity))
    return float(np.partition(intensity, place)[place])


def _are_counts(intensity: NDArray[np.float32]) -> bool:
    """Whether the values are whole numbers, which fractions of 1 are not; a handful, or a single value, decides
    nothing."""
    if len(intensity) < HANDFUL or (intensity == intensity[0]).all():
        return False
    return bool((np.floor(intensity) == intensity).all())
