# SPDX-License-Identifier: Apache-2.0
"""Things in a sweep that are too small for a vehicle or a person: traffic cones, low signs, litter bins."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GAP = 0.35
"""The smallest distance [m] between points of two things; points of one thing are nearer to each other."""

FEWEST = 4
"""The fewest points for judging a thing's size."""

LOWEST, HIGHEST = 0.3, 0.9
"""Metres above the ground of a small thing's top: kerbs are lower, bicycles and children higher."""

WIDEST = 0.6
"""Metres along each axis of the ground: a wider thing may be a part of a bicycle."""

ABOVE_GROUND = 0.12
"""Metres; points below belong to the ground."""

REACH = 30.0
"""Metres; farther away a thing has too few points to determine its top."""


def small_things(
    points: NDArray[np.float32], above: NDArray[np.float32], chosen: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """(N,) which of the `chosen` points (N, ≥3) belong to things that stand alone and are small.

    above: (N,) metres above the ground. Points within GAP of each other are one thing (DBSCAN, Ester et al., 1996).
    """
    small = np.zeros(len(points), np.bool_)
    rows = np.flatnonzero(chosen & (above > ABOVE_GROUND) & (np.hypot(points[:, 0], points[:, 1]) < REACH))
    if len(rows) < FEWEST:
        return small
    import open3d  # here, since it takes long to load

    cloud = open3d.geometry.PointCloud(open3d.utility.Vector3dVector(points[rows, :3].astype(np.float64)))
    thing = np.asarray(cloud.cluster_dbscan(GAP, 3))
    for number in range(thing.max() + 1):
        of_it = rows[thing == number]
        top, extent = above[of_it].max(), np.ptp(points[of_it, :2], axis=0).max()
        small[of_it] = len(of_it) >= FEWEST and LOWEST < top < HIGHEST and extent < WIDEST
    return small
