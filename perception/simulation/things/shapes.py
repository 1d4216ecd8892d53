# SPDX-License-Identifier: Apache-2.0
"""Plain shapes as meshes: quads, boxes, tubes, ellipsoids, lofts, extrusions; and placing copies of them.

Lengths are metres, angles radians. `material` is an index into the table of materials, or one per face where stated.
Surfaces may be open and are seen from both sides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from perception.simulation.scene import Mesh

Pose = NDArray[np.float64]


def pose(x: float, y: float, z: float = 0.0, yaw: float = 0.0, pitch: float = 0.0) -> Pose:
    """(4, 4) pose at (x, y, z), turned left by `yaw` about z, nose up by `pitch`."""
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    return np.array([[cy * cp, -sy, -cy * sp, x], [sy * cp, cy, -sy * sp, y], [sp, 0.0, cp, z], [0.0, 0.0, 0.0, 1.0]])


def quads(corners: ArrayLike, material: ArrayLike) -> Mesh:
    """Separate four-cornered faces. corners: (Q, 4, 3) in order around each face. material: one, or (Q,)."""
    points = np.asarray(corners, np.float32).reshape(-1, 4, 3)
    first = np.arange(len(points), dtype=np.uint32)[:, None] * 4
    triangles = np.concatenate([first + np.array([0, 1, 2], np.uint32), first + np.array([0, 2, 3], np.uint32)], axis=1)
    materials = np.broadcast_to(np.asarray(material, np.uint16), (len(points),)).repeat(2)
    return Mesh(points.reshape(-1, 3), triangles.reshape(-1, 3), materials)


def loft(rings: ArrayLike, material: ArrayLike, closed: bool = True, caps: int | None = None) -> Mesh:
    """A skin over cross-sections. rings: (S, K, 3). material: one, or (S-1, K) per face (K-1 where not `closed`).

    caps: material of the two ends, each a fan around the ring's middle; None leaves them open.
    """
    points = np.asarray(rings, np.float32)
    stations, count = points.shape[:2]
    around = np.arange(count if closed else count - 1)
    along = np.arange(stations - 1)[:, None] * count
    a, b = along + around, along + (around + 1) % count
    lower = np.stack([a, b, b + count], axis=-1)
    upper = np.stack([a, b + count, a + count], axis=-1)
    triangles = np.stack([lower, upper], axis=2).reshape(-1, 3)
    materials = np.broadcast_to(np.asarray(material, np.uint16), a.shape).reshape(-1).repeat(2)
    vertices = points.reshape(-1, 3)
    if caps is not None:
        last = (stations - 1) * count
        ring = np.arange(count)
        following = (ring + 1) % count
        start = np.stack([following, ring, np.full(count, len(vertices))], axis=-1)
        end = np.stack([ring + last, following + last, np.full(count, len(vertices) + 1)], axis=-1)
        vertices = np.concatenate([vertices, points[[0, -1]].mean(axis=1)])
        triangles = np.concatenate([triangles, start, end])
        materials = np.concatenate([materials, np.full(2 * count, caps, np.uint16)])
    return Mesh(vertices, triangles.astype(np.uint32), materials)


_BOX = np.array([[x, y, z] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)], np.float32)
_BOX_FACES = np.array([[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]])


def boxes(sizes: ArrayLike, centres: ArrayLike, material: ArrayLike) -> Mesh:
    """Upright boxes. sizes, centres: (B, 3) or broadcastable. material: one, or (B,)."""
    size, centre = np.broadcast_arrays(np.atleast_2d(sizes), np.atleast_2d(centres))
    corners = _BOX[_BOX_FACES][None] * size[:, None, None] + centre[:, None, None]
    return quads(corners, np.broadcast_to(np.asarray(material), (len(size),)).repeat(6))


def box(size: Sequence[float], centre: Sequence[float], material: int) -> Mesh:
    """One upright box."""
    return boxes([size], [centre], material)


def tubes(
    starts: ArrayLike,
    ends: ArrayLike,
    start_radii: ArrayLike,
    end_radii: ArrayLike,
    material: ArrayLike,
    sides: int = 8,
    rounded: bool = False,
) -> Mesh:
    """Straight tubes that may taper. starts, ends: (N, 3). radii, material: one, or (N,).

    rounded: the ends are domes that reach beyond `starts` and `ends` by the radius; else they are open.
    """
    a, b = np.atleast_2d(np.asarray(starts, np.float64)), np.atleast_2d(np.asarray(ends, np.float64))
    count = len(a)
    r0 = np.broadcast_to(np.asarray(start_radii, np.float64), (count,))[:, None]
    r1 = np.broadcast_to(np.asarray(end_radii, np.float64), (count,))[:, None]
    axis = b - a
    length = np.maximum(np.linalg.norm(axis, axis=1, keepdims=True), 1e-6)
    axis = axis / length
    helper = np.where(np.abs(axis[:, 2:]) < 0.9, np.array([[0.0, 0.0, 1.0]]), np.array([[1.0, 0.0, 0.0]]))
    u = np.cross(axis, helper)
    u /= np.linalg.norm(u, axis=1, keepdims=True)
    v = np.cross(axis, u)
    if rounded:
        along = np.concatenate([-r0, -0.7 * r0, 0 * r0, length, length + 0.7 * r1, length + r1], axis=1)
        radius = np.concatenate([0.02 * r0, 0.7 * r0, r0, r1, 0.7 * r1, 0.02 * r1], axis=1)
    else:
        along, radius = np.concatenate([0 * length, length], axis=1), np.concatenate([r0, r1], axis=1)
    angle = np.linspace(0.0, 2 * np.pi, sides, endpoint=False)
    circle = np.cos(angle)[:, None] * u[:, None] + np.sin(angle)[:, None] * v[:, None]  # (N, sides, 3)
    rings = a[:, None, None] + along[..., None, None] * axis[:, None, None] + radius[..., None, None] * circle[:, None]
    return _many_lofts(rings, np.broadcast_to(np.asarray(material, np.uint16), (count,)))


def tube(start: Sequence[float], end: Sequence[float], radius: float, material: int, sides: int = 8) -> Mesh:
    """One straight open tube."""
    return tubes([start], [end], radius, radius, material, sides)


def _many_lofts(rings: NDArray[np.float64], materials: NDArray[np.uint16]) -> Mesh:
    count, stations, sides = rings.shape[:3]
    triangles = _loft_triangles(stations, sides)
    offsets = np.arange(count, dtype=np.uint32)[:, None, None] * np.uint32(stations * sides)
    return Mesh(
        rings.reshape(-1, 3).astype(np.float32),
        (triangles[None] + offsets).reshape(-1, 3),
        materials.repeat(len(triangles)),
    )


@lru_cache(maxsize=32)
def _loft_triangles(stations: int, sides: int) -> NDArray[np.uint32]:
    return loft(np.zeros((stations, sides, 3)), 0).triangles


def ellipsoids(radii: ArrayLike, centres: ArrayLike, material: ArrayLike, sides: int = 10, stacks: int = 6) -> Mesh:
    """Ellipsoids with upright axes. radii, centres: (N, 3) or broadcastable. material: one, or (N,)."""
    size, centre = np.broadcast_arrays(np.atleast_2d(radii), np.atleast_2d(centres))
    unit = _unit_sphere(sides, stacks)
    rings = unit[None] * size[:, None, None] + centre[:, None, None]
    return _many_lofts(rings, np.broadcast_to(np.asarray(material, np.uint16), (len(size),)))


@lru_cache(maxsize=16)
def _unit_sphere(sides: int, stacks: int) -> NDArray[np.float64]:
    polar = np.linspace(0.02, np.pi - 0.02, stacks + 1)[:, None]
    angle = np.linspace(0.0, 2 * np.pi, sides, endpoint=False)
    return np.stack(
        np.broadcast_arrays(np.sin(polar) * np.cos(angle), np.sin(polar) * np.sin(angle), np.cos(polar)), -1
    )


def prism(outline: ArrayLike, bottom: float, top: float, material: int, lid: int | None = None) -> Mesh:
    """An upright wall around `outline` (K, 2) from z = bottom to z = top, closed by flat ends of material `lid`."""
    plan = np.asarray(outline, np.float64)
    rings = np.stack([np.column_stack([plan, np.full(len(plan), z)]) for z in (bottom, top)])
    return loft(rings, material, caps=material if lid is None else lid)


def disc(centre: Sequence[float], normal: Sequence[float], radius: float, material: int, sides: int = 12) -> Mesh:
    """A flat disc."""
    return tubes([centre], [np.asarray(centre) + 1e-3 * np.asarray(normal)], radius, 1e-4, material, sides)


def scaled(mesh: Mesh, factor: ArrayLike) -> Mesh:
    """`mesh` stretched by one factor, or by (3,) factors along the axes."""
    return Mesh(mesh.vertices * np.asarray(factor, np.float32), mesh.triangles, mesh.materials)


def mirrored(mesh: Mesh) -> Mesh:
    """`mesh` reflected left to right (y → -y)."""
    return Mesh(mesh.vertices * np.array([1, -1, 1], np.float32), mesh.triangles[:, ::-1].copy(), mesh.materials)


def recoloured(mesh: Mesh, mapping: Mapping[int, int]) -> Mesh:
    """`mesh` with materials exchanged: old index → new index."""
    table = np.arange(int(mesh.materials.max()) + 1, dtype=np.uint16)
    for old, new in mapping.items():
        if old < len(table):
            table[old] = new
    return Mesh(mesh.vertices, mesh.triangles, table[mesh.materials])


def instances(mesh: Mesh, poses: ArrayLike) -> Mesh:
    """Copies of `mesh` at each of the (N, 4, 4) poses, which may scale."""
    matrices = np.asarray(poses, np.float32).reshape(-1, 4, 4)
    count, size = len(matrices), len(mesh.vertices)
    vertices = np.einsum("nij,vj->nvi", matrices[:, :3, :3], mesh.vertices) + matrices[:, None, :3, 3]
    offsets = np.arange(count, dtype=np.uint32)[:, None, None] * np.uint32(size)
    triangles = (mesh.triangles[None] + offsets).reshape(-1, 3)
    return Mesh(vertices.reshape(-1, 3).astype(np.float32), triangles, np.tile(mesh.materials, count))
