# SPDX-License-Identifier: Apache-2.0
"""Ray casting with Open3D, on the static and the moving parts of a scene.

The static part's search tree is built once per drive, the moving part's once per frame; the nearer hit wins.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import PerceptionError
from perception.simulation.optics.vectors import dot, normalised, rows_of
from perception.simulation.scene import Mesh, Scene, merge, transformed
from perception.simulation.things.textures import leaf_gaps

STATIC = 0
"""Instance of everything static; actor k of the scene is instance k + 1."""

REACH = 140.0
"""Metres from the ego vehicle within which actors are built: the LiDAR's range, and cars of a few pixels beyond it."""

LAYERS_OF_LEAVES = 3
"""How many gaps between leaves a ray may pass; the next layer stops it."""


@dataclass
class Hits:
    """Where rays met a surface; one row per ray that hit something.

    ray: (H,) int64, the numbers of those rays, rising. missed: the numbers of the others.
    distance: (H,) float32 in lengths of the ray's direction.
    position: (H, 3) float32 world. local: (H, 3) float32 in the object's own frame (world, for what stands still).
    normal: (H, 3) float32, unit length, turned towards the ray's origin, rounded where the mesh is curved.
    local_normal: the same in the object's frame.
    material: (H,) int64 index into Scene.materials. instance: (H,) int64, STATIC or 1 + the actor's index.
    thing: (H,) int64, the number of what was met among all that stands or moves, 0 for the ground.
    """

    ray: NDArray[np.int64]
    missed: NDArray[np.int64]
    distance: NDArray[np.float32]
    position: NDArray[np.float32]
    local: NDArray[np.float32]
    normal: NDArray[np.float32]
    local_normal: NDArray[np.float32]
    material: NDArray[np.int64]
    instance: NDArray[np.int64]
    thing: NDArray[np.int64]

    def of(self, rows: NDArray[np.int64]) -> Hits:
        """The hits of these `rows` alone; the other rays count as missed."""
        missed = np.ones(len(self.ray) + len(self.missed), bool)
        missed[self.ray[rows]] = False
        return Hits(
            self.ray[rows],
            np.flatnonzero(missed),
            self.distance[rows],
            rows_of(self.position, rows),
            rows_of(self.local, rows),
            rows_of(self.normal, rows),
            rows_of(self.local_normal, rows),
            self.material[rows],
            self.instance[rows],
            self.thing[rows],
        )


class Tracer:
    """Casts rays into a `Scene` at one time after another.

    Raises PerceptionError where Open3D cannot be loaded.
    """

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._open3d = _load_open3d()
        standing = np.full(len(scene.static.triangles), STATIC)
        self._static = _SearchTree(self._open3d, scene.static, standing, scene.things)
        self._standing = int(scene.things.max(initial=0))
        self._moving: _SearchTree | None = None
        self._leafy = np.array([material.texture == "leaves" for material in scene.materials])

    def move_to(self, time: float) -> None:
        """Puts every actor near the ego vehicle where it is at `time` [s]."""
        here = self._scene.ego(time)[:3, 3]
        meshes: list[Mesh] = []
        instances: list[NDArray[np.int64]] = []
        self._to_local = np.tile(np.eye(4, dtype=np.float32), (len(self._scene.actors) + 1, 1, 1))
        for number, actor in enumerate(self._scene.actors, start=1):
            pose = actor.pose(time)
            if np.linalg.norm(pose[:3, 3] - here) > REACH:
                continue
            mesh = transformed(actor.shape(time), pose)
            meshes.append(mesh)
            instances.append(np.full(len(mesh.triangles), number, np.int64))
            self._to_local[number] = np.linalg.inv(pose)
        self._moving = None
        if meshes:
            numbers = np.concatenate(instances)
            self._moving = _SearchTree(self._open3d, merge(meshes), numbers, numbers + self._standing)

    def cast(self, rays: NDArray[np.float32]) -> Hits:
        """First surfaces along `rays`, (R, 6) float32: origin, direction. Rays pass through gaps between leaves."""
        first = self._first(rays)
        for _ in range(LAYERS_OF_LEAVES):
            rows = np.flatnonzero(np.isfinite(first.distance) & self._leafy[first.material])
            position = _along(rays[rows], first.distance[rows])
            rows = rows[leaf_gaps(position, first.normal[rows])]
            if len(rows) == 0:
                break
            beyond = first.distance[rows] + np.float32(0.03)
            onward = np.concatenate([_along(rays[rows], beyond), rays[rows, 3:]], 1)
            further = self._first(onward)
            further.distance += beyond
            first.replace(rows, further)
        hit = np.isfinite(first.distance)
        met, missed = np.flatnonzero(hit), np.flatnonzero(~hit)
        distance, normal, instance = first.distance[met], rows_of(first.normal, met), first.instance[met]
        position = _along(rows_of(rays, met), distance)
        local, local_normal = position.copy(), normal.copy()
        rows = np.flatnonzero(instance != STATIC)
        pose = self._to_local[instance[rows]]
        local[rows] = np.einsum("ijk,ik->ij", pose[:, :3, :3], position[rows]) + pose[:, :3, 3]
        local_normal[rows] = np.einsum("ijk,ik->ij", pose[:, :3, :3], normal[rows])
        material, thing = first.material[met], first.thing[met]
        return Hits(met, missed, distance, position, local, normal, local_normal, material, instance, thing)

    def blocked(self, rays: NDArray[np.float32]) -> NDArray[np.bool_]:
        """(R,) whether each of the (R, 6) `rays` hits anything."""
        result = self._static.blocked(rays)
        if self._moving is not None:
            result |= self._moving.blocked(rays)
        return result

    def _first(self, rays: NDArray[np.float32]) -> _First:
        standing = self._static.cast(rays)
        moving = None if self._moving is None else self._moving.cast(rays)
        distance = standing.distance if moving is None else np.minimum(standing.distance, moving.distance)
        count = len(rays)
        first = _First(distance, np.zeros((count, 3), np.float32), *np.zeros((3, count), np.int64))
        if moving is None:
            self._static.describe(first, standing, np.flatnonzero(np.isfinite(distance)), rays)
        else:
            in_front = moving.distance < standing.distance
            self._static.describe(first, standing, np.flatnonzero(np.isfinite(distance) & ~in_front), rays)
            assert self._moving is not None
            self._moving.describe(first, moving, np.flatnonzero(in_front), rays)
        return first


@dataclass
class _First:
    """What is first along each ray; distance is inf, and the rest meaningless, where there is nothing."""

    distance: NDArray[np.float32]
    normal: NDArray[np.float32]
    material: NDArray[np.int64]
    instance: NDArray[np.int64]
    thing: NDArray[np.int64]

    def replace(self, rows: NDArray[np.int64], other: _First) -> None:
        """Puts `other` where the `rows` of this are."""
        self.distance[rows], self.normal[rows] = other.distance, other.normal
        self.material[rows], self.instance[rows], self.thing[rows] = other.material, other.instance, other.thing


@dataclass
class _Answer:
    """What Open3D says of each ray. triangle is meaningless where distance is inf."""

    distance: NDArray[np.float32]
    triangle: NDArray[np.uint32]
    normal: NDArray[np.float32]
    weights: NDArray[np.float32]


class _SearchTree:
    """Open3D's ray casting scene over one mesh, with what belongs to each triangle."""

    def __init__(self, open3d: Any, mesh: Mesh, instances: NDArray[np.int64], things: NDArray[np.int64]) -> None:
        self._tensor = open3d.core.Tensor
        # One thread: the tree, and so which of two coincident triangles is hit, stays the same on every machine.
        self._tree = open3d.t.geometry.RaycastingScene(nthreads=1)
        self._tree.add_triangles(self._tensor(mesh.vertices), self._tensor(mesh.triangles))
        self._materials, self._instances, self._things = mesh.materials.astype(np.int64), instances, things
        self._corners, self._curved = _curved_corners(mesh)

    def cast(self, rays: NDArray[np.float32]) -> _Answer:
        answer = self._tree.cast_rays(self._tensor(np.ascontiguousarray(rays)), nthreads=1)
        names = ("t_hit", "primitive_ids", "primitive_normals", "primitive_uvs")
        return _Answer(*(answer[name].numpy() for name in names))

    def describe(self, first: _First, answer: _Answer, rows: NDArray[np.int64], rays: NDArray[np.float32]) -> None:
        """Fills the `rows` of `first` in."""
        triangle = answer.triangle[rows].astype(np.int64)
        normal = rows_of(answer.normal, rows)
        away = dot(normal, rows_of(rays, rows)[:, 3:]) > 0
        number = self._curved[triangle]
        curved = np.flatnonzero(number >= 0)
        corners, weights = self._corners[number[curved]], answer.weights[rows[curved]]
        smooth = corners[:, 0] + weights[:, :1] * (corners[:, 1] - corners[:, 0])
        smooth += weights[:, 1:] * (corners[:, 2] - corners[:, 0])
        normal[curved] = normalised(smooth)
        normal[away] *= -1
        first.normal[rows] = normal
        first.material[rows], first.instance[rows] = self._materials[triangle], self._instances[triangle]
        first.thing[rows] = self._things[triangle]

    def blocked(self, rays: NDArray[np.float32]) -> NDArray[np.bool_]:
        result = self._tree.test_occlusions(self._tensor(np.ascontiguousarray(rays)), nthreads=1)
        return np.asarray(result.numpy(), np.bool_)


def _along(rays: NDArray[np.float32], distance: NDArray[np.float32]) -> NDArray[np.float32]:
    return rays[:, :3] + rays[:, 3:] * distance[:, None]


def _curved_corners(mesh: Mesh) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """(C, 3, 3) normals at the corners of triangles of curved surfaces, and (T,) which are whose; -1 is flat.

    Neighbours that share a vertex and meet at less than about 40° are one curved surface.
    """
    corners = mesh.vertices[mesh.triangles]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    face = normalised(cross)
    index, count = mesh.triangles.ravel(), len(mesh.vertices)
    total = np.stack([np.bincount(index, np.repeat(cross[:, k], 3), count) for k in range(3)], 1)
    smooth = normalised(total.astype(np.float32))[mesh.triangles]
    agreement = np.einsum("ijk,ik->ij", smooth, face)
    sharp = agreement < _CREASE
    smooth = np.where(sharp[..., None], face[:, None], smooth)
    curved = (~sharp & (agreement < 0.9999)).any(axis=1)
    return smooth[curved].astype(np.float32), np.where(curved, np.cumsum(curved) - 1, -1)


_CREASE = 0.77
"""Cosine between a face and the mean of its neighbours below which an edge stays sharp."""


def _load_open3d() -> Any:
    try:
        import open3d
    except (ImportError, OSError) as error:
        remedy = (
            "install the system library: apt-get install libusb-1.0-0"
            if "libusb" in str(error)
            else "pip install 'multimodal_perception[sim]'; on Debian and Ubuntu also: apt-get install libusb-1.0-0"
        )
        raise PerceptionError(f"the simulator needs Open3D, which cannot be loaded ({error}); {remedy}") from error
    return open3d
