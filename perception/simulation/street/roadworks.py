# SPDX-License-Identifier: Apache-2.0
"""Traffic cones and striped beacons: small, bright, on the road itself, and no vehicle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Actor, Mesh, merge
from perception.simulation.street.plan import SIDES, StreetPlan
from perception.simulation.things.materials import index
from perception.simulation.things.placement import Placement
from perception.simulation.things.shapes import Pose, box, disc, quads, tubes

CONES = ((0.5, "post_red", 1), (0.75, "yard_orange", 2), (0.95, "post_red", 3))
"""Height in metres, paint and white bands of each kind."""
PASSING = 0.4
"""Metres that a road user keeps from a cone."""
BESIDE = 0.3
"""Metres from whatever stands there."""


@lru_cache(maxsize=len(CONES))
def cone(kind: int) -> Mesh:
    """A traffic cone of CONES; its foot is a square plate."""
    height, paint, bands = CONES[kind]
    radius = 0.19 * height
    levels = np.linspace(0.04, height, 2 * bands + 2)
    radii = np.interp(levels, [0.0, height], [radius, 0.035])
    colours = [index("sign_white" if i % 2 else paint) for i in range(len(levels) - 1)]
    middle = np.zeros((len(levels), 3)) + levels[:, None] * [0.0, 0.0, 1.0]
    body = tubes(middle[:-1], middle[1:], radii[:-1], radii[1:], colours, 10)
    foot = box((2.4 * radius, 2.4 * radius, 0.04), (0.0, 0.0, 0.02), index("bin" if kind else paint))
    return merge([foot, body, disc((0.0, 0.0, height), (0.0, 0.0, 1.0), 0.035, index(paint), 8)])


@lru_cache(maxsize=1)
def beacon() -> Mesh:
    """A board, 1 m high, striped in red and white, that faces along x."""
    stripes, width, bottom, height = 6, 0.25, 0.12, 0.9
    step, slope = height / stripes, 0.12
    faces, colours = [], []
    for i in range(stripes):
        z = bottom + i * step
        low, high = (max(z - slope / 2, bottom) if i else bottom), min(z + slope / 2, bottom + height)
        end_low, end_high = (
            (z + step - slope / 2, min(z + step + slope / 2, bottom + height))
            if i < stripes - 1
            else (bottom + height,) * 2
        )
        y = width / 2
        faces.append([(0.0, -y, low), (0.0, y, high if i else bottom), (0.0, y, end_high), (0.0, -y, end_low)])
        colours.append(index("sign_white" if i % 2 else "sign_red"))
    foot = box((0.4, 0.3, 0.12), (0.0, 0.0, 0.06), index("bin"))
    return merge([foot, quads(faces, colours)])


def roadworks(
    plan: StreetPlan,
    rng: np.random.Generator,
    placed: Placement,
    actors: Sequence[Actor],
    ego: Callable[[float], Pose],
    duration: float,
) -> None:
    """Adds rows of cones and beacons to `placed`, on or beside the road; on a third of the streets none.

    None stands where one of `actors` or the `ego` vehicle comes by within `duration` seconds, nor on what `placed`
    holds.
    """
    if rng.random() < 0.35:
        return
    paths = [_path(actor.pose, actor.shape(0.0).vertices, duration) for actor in actors]
    paths.append(_path(ego, np.array([[-1.5, -0.9, 0.0], [3.5, 0.9, 0.0]]), duration))
    for _ in range(int(rng.integers(1, 5))):
        side = int(rng.choice(SIDES))
        s = float(rng.uniform(5.0, max(20.0, plan.line.end - 100.0)))
        outer = plan.edge(side)
        first, last = rng.uniform(max(0.3, outer - 2.4), outer + 1.2, 2) if rng.random() < 0.4 else [outer - 0.45] * 2
        count, gap = int(rng.integers(1, 10)), float(rng.uniform(1.0, 6.0))
        kind, boards = int(rng.integers(len(CONES))), rng.random() < 0.25
        for i, d in enumerate(np.linspace(first, last, count)):
            at = s + gap * i + float(rng.normal(0.0, 0.1))
            turn = float(rng.normal(0.0, 0.15 if boards else 1.0))
            where = plan.line.pose(at, side * d, plan.height(at, side * d), turn)
            place = where[:2, 3]
            if not placed.covers(place, BESIDE) and not any(crosses(place) for crosses in paths):
                placed.add(beacon() if boards else cone(kind), where)


def _path(at: Callable[[float], Pose], outline: NDArray[Any], duration: float) -> Callable[[NDArray[np.float64]], bool]:
    """Whether a place (2,) comes nearer than PASSING to the rectangle around `outline` as it moves."""
    low, high = outline[:, :2].min(axis=0) - PASSING, outline[:, :2].max(axis=0) + PASSING
    poses = np.array([at(t) for t in np.arange(0.0, duration + 0.1, 0.1)])

    def crosses(place: NDArray[np.float64]) -> bool:
        local = np.einsum("nji,nj->ni", poses[:, :2, :2], place - poses[:, :2, 3])
        return bool(np.any(np.all((local > low) & (local < high), axis=1)))

    return crosses
