# SPDX-License-Identifier: Apache-2.0
"""Trees, bushes and hedges: irregular clumps with loose leaves around them. Roots at the origin on z = 0; metres."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import LEAVES, index
from perception.simulation.things.shapes import ellipsoids, tubes

VARIANTS = 6
"""How many different trees, bushes and conifers there are; each may be scaled and turned."""


@lru_cache(maxsize=64)
def tree(variant: int, leaves: int) -> Mesh:
    """A broad-leaved tree about 8 m tall. variant: 0 to VARIANTS-1. leaves: 0 to 4, a colour of LEAVES."""
    rng = np.random.default_rng([variant, 1])
    fork = rng.uniform(2.0, 2.8)
    bend = rng.uniform(-0.15, 0.15, 2)
    top = np.array([bend[0], bend[1], fork])
    root, crown = np.zeros(3), np.array([0.0, 0.0, fork + 2.5])
    count = int(rng.integers(7, 11))
    angle = np.arange(count) * 2.4 + rng.uniform(0, 6.3)
    spread = rng.uniform(0.5, 2.0, count)
    height = fork + rng.uniform(0.6, 4.4, count) * (1.15 - 0.22 * spread)
    centres = np.column_stack([spread * np.cos(angle), spread * np.sin(angle), height])
    centres[0] = [0.0, 0.0, fork + 3.6]
    radii = rng.uniform(0.9, 1.5, (count, 1)) * np.array([1.0, 1.0, 0.8])
    wood = index("bark")
    trunk = tubes(np.stack([root, top]), np.stack([top, crown]), [0.20, 0.15], [0.15, 0.06], wood, 8)
    branches = tubes(np.tile(top, (count, 1)), centres, 0.075, 0.03, wood, 5)
    return merge([trunk, branches, _clumps(rng, centres, radii, leaves, 84)])


@lru_cache(maxsize=64)
def conifer(variant: int, leaves: int) -> Mesh:
    """A spruce about 9 m tall. Arguments as for `tree`."""
    rng = np.random.default_rng([variant, 2])
    tiers = np.linspace(0.0, 1.0, 9)
    centres = np.column_stack([0.25 * rng.standard_normal((9, 2)), 1.0 + 7.2 * tiers])
    radii = np.column_stack([*[(1.9 - 1.65 * tiers)] * 2, np.full(9, 0.75)]) * rng.uniform(0.85, 1.1, (9, 1))
    trunk = tubes([[0, 0, 0]], [[0, 0, 8.6]], 0.18, 0.03, index("bark"), 7)
    return merge([trunk, _clumps(rng, centres, radii, leaves, 64)])


@lru_cache(maxsize=64)
def bush(variant: int, leaves: int) -> Mesh:
    """A bush about 1.4 m tall. Arguments as for `tree`."""
    rng = np.random.default_rng([variant, 3])
    centres = np.column_stack([0.4 * rng.standard_normal((4, 2)), rng.uniform(0.45, 0.9, 4)])
    return _clumps(rng, centres, rng.uniform(0.45, 0.7, (4, 1)) * np.ones(3), leaves, 90)


@lru_cache(maxsize=64)
def far_tree(variant: int, leaves: int) -> Mesh:
    """A tree about 8 m tall with few triangles, for the distance. Arguments as for `tree`."""
    rng = np.random.default_rng([variant, 5])
    centres = np.column_stack([1.2 * rng.standard_normal((5, 2)), rng.uniform(3.0, 6.5, 5)])
    trunk = tubes([[0, 0, 0]], [[0, 0, 4.0]], 0.25, 0.15, index("bark"), 5)
    return merge([trunk, _clumps(rng, centres, rng.uniform(1.5, 2.3, (5, 1)) * np.ones(3), leaves, 24)])


def hedge(length: float, height: float, depth: float, leaves: int, seed: int) -> Mesh:
    """A clipped hedge along x from 0 to `length`, centred on y = 0."""
    rng = np.random.default_rng([seed, 4])
    count = max(2, int(length / 0.9))
    x = (np.arange(count) + 0.5) * length / count
    lower = np.column_stack([x, 0.04 * rng.standard_normal(count), np.full(count, 0.30 * height)])
    upper = lower + np.column_stack([rng.uniform(-0.2, 0.2, count), 0 * x, np.full(count, 0.36 * height)])
    radii = np.array([0.85, 0.62 * depth, 0.38 * height]) * rng.uniform(0.9, 1.1, (2 * count, 1))
    return _clumps(rng, np.concatenate([lower, upper]), 0.95 * radii, leaves, 24)


def _clumps(
    rng: np.random.Generator, centres: NDArray[np.float64], radii: NDArray[np.float64], leaves: int, loose: int
) -> Mesh:
    """Dented blobs in one colour of leaf, and `loose` single leaf cards around each in neighbouring colours."""
    blobs = ellipsoids(0.84 * radii, centres, index(f"leaves_{leaves}"), 8, 5)
    middle = np.repeat(centres, len(blobs.vertices) // len(centres), axis=0)
    dents = rng.uniform(0.72, 1.18, (len(blobs.vertices), 1))
    blobs.vertices = (middle + dents * (blobs.vertices - middle)).astype(np.float32)
    directions = rng.standard_normal((len(centres), loose, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    at = (centres[:, None] + directions * radii[:, None] * rng.uniform(0.72, 1.16, (len(centres), loose, 1))).reshape(
        -1, 1, 3
    )
    size = 0.15 * float(radii.mean()) ** 0.5
    corners = at + size * rng.standard_normal((len(at), 3, 3))
    corners[..., 2] = np.maximum(corners[..., 2], 0.0)
    colours = np.array([leaves, leaves, (leaves + 1) % len(LEAVES) if leaves < 2 else leaves])
    materials = np.array([index(f"leaves_{c}") for c in colours], np.uint16)[rng.integers(0, 3, len(at))]
    cards = Mesh(
        corners.reshape(-1, 3).astype(np.float32), np.arange(3 * len(at), dtype=np.uint32).reshape(-1, 3), materials
    )
    return merge([blobs, cards])
