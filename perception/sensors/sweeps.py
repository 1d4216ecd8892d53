# SPDX-License-Identifier: Apache-2.0
"""What every reader of sweeps does to their points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def with_echo(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """(N, 4) points without those that have no echo: NaN, infinite, or at 0, 0, 0 exactly.

    An intensity that is no number becomes 0, in place; without any of these the array itself is returned.
    """
    finite = np.isfinite(points)
    if not finite.all():
        points[~finite[:, 3], 3] = 0.0  # a point whose intensity is no number is a point all the same
        points = points[finite[:, :3].all(axis=1)]
    nowhere = points[:, 0] == 0.0
    if nowhere.any():
        points = points[~nowhere | points[:, 1:3].any(axis=1)]
    return points
