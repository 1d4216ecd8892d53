# SPDX-License-Identifier: Apache-2.0
"""What every reader of sweeps does to their points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def with_echo(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4) points without those that have no echo; see `echoes`."""
    echo = echoes(points)
    return points if echo is None else points.compress(echo, 0)


def echoes(points: NDArray[np.float32]) -> NDArray[np.bool_] | None:
    """(N,) which of the (N, 4) points have an echo: not NaN, infinite, or exactly at 0, 0, 0; None if all have.

    An intensity that is not finite becomes 0, in place.
    """
    finite = np.isfinite(points)
    echo: NDArray[np.bool_] | None = None
    if not finite.all():
        points[~finite[:, 3], 3] = 0.0  # a point remains a point if only its intensity is not finite
        echo = np.logical_and.reduce(finite[:, :3], axis=1)
    nowhere = np.flatnonzero(points[:, 0] == 0.0)
    nowhere = nowhere[~points[nowhere, 1:3].any(axis=1)]
    if len(nowhere):
        echo = np.ones(len(points), np.bool_) if echo is None else echo
        echo[nowhere] = False
    return echo
