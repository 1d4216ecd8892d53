# SPDX-License-Identifier: Apache-2.0
"""Collects what stands on a street: many copies of few meshes."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh
from perception.simulation.things.shapes import Pose, instances

BREAST = 1.2
"""Metres; what hangs higher, as a tree's crown does, covers nothing."""


class Placement:
    """Collects copies of meshes; one mesh at many places is expanded at once."""

    def __init__(self) -> None:
        self.in_the_way: list[tuple[float, float]] = []
        """(s, d) of things on the pavement that people walk around."""
        self._poses: dict[int, list[Pose]] = defaultdict(list)
        self._told_apart: dict[int, list[bool]] = defaultdict(list)
        self._meshes: dict[int, Mesh] = {}

    def add(self, mesh: Mesh, pose: Pose, grouped: bool = False) -> None:
        """Put `mesh` at the (4, 4) `pose`. grouped: in a crowd of its like that annotators do not tell apart."""
        self._meshes[id(mesh)] = mesh
        self._poses[id(mesh)].append(pose)
        self._told_apart[id(mesh)].append(not grouped)

    def feet(self) -> list[NDArray[np.float64]]:
        """Where everything stands: (2,) world x, y of each copy's origin."""
        return [pose[:2, 3] for poses in self._poses.values() for pose in poses]

    def covers(self, place: NDArray[np.float64], margin: float) -> bool:
        """Whether something, up to BREAST above its origin, is nearer than `margin` metres to the (2,) world place."""
        for key, poses in self._poses.items():
            vertices = self._meshes[key].vertices
            low = vertices[vertices[:, 2] < BREAST, :2]
            if not len(low):
                continue
            placed = np.array(poses)
            local = np.einsum("nji,nj->ni", placed[:, :2, :2], place - placed[:, :2, 3])
            inside = (local > low.min(axis=0) - margin) & (local < low.max(axis=0) + margin)
            if inside.all(axis=1).any():
                return True
        return False

    def meshes(self) -> list[Mesh]:
        """Everything that was added, in world coordinates."""
        return [instances(self._meshes[key], np.array(poses)) for key, poses in self._poses.items()]

    def numbers(self) -> NDArray[np.int64]:
        """(T,) for each triangle of `meshes`, in their order, the number from 1 of the copy that it belongs to; 0 for
        what is grouped."""
        sizes = [len(self._meshes[key].triangles) for key, poses in self._poses.items() for _ in poses]
        apart = np.array([each for key in self._poses for each in self._told_apart[key]], bool)
        return np.repeat(np.where(apart, np.arange(1, len(sizes) + 1), 0), sizes)
