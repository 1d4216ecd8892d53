# SPDX-License-Identifier: Apache-2.0
"""Scores of a drive by distance, counted while its frames are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from perception.evaluation.scores.distance import DistanceBands, distance_map
from perception.frame import Frame

Labels = NDArray[np.uint8]


def counted(
    frames: Iterable[Frame], answers: Sequence[Labels | None], truth: Mapping[int, Labels], bands: DistanceBands
) -> Iterator[Frame]:
    """The frames as they are, each added to `bands`; answers in their order, truth by recorded stamp [ns]."""
    for frame, labels in zip(frames, answers, strict=True):
        known = truth.get(frame.stamp_ns)
        if labels is not None and known is not None:
            distance = distance_map(frame, known.shape[1], known.shape[0])
            if distance is not None:
                bands.update(labels, known, distance)
        yield frame
