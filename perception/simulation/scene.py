# SPDX-License-Identifier: Apache-2.0
"""What a simulated street is made of: materials, meshes, and actors that move along it.

The world frame is x forward along the street, y left, z up, metres; the road's surface is near z = 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from perception.classes import BACKGROUND


@dataclass(frozen=True)
class Material:
    """How a surface looks to each sensor.

    albedo: linear RGB, 0–1. texture: name of the procedural pattern that the camera draws on it in world or object
    coordinates (see `textures.py`), "plain" for none. specular: 0 matt – 1 mirror-like (car paint, glass).
    reflectivity: LiDAR intensity at normal incidence, 0–1 (above 1: retro-reflector).
    warmth: degrees Celsius above (or below) the ambient temperature. emissivity: thermal, 0–1; the rest mirrors sky.
    glow: linear RGB light given off, switched on by night (lamps, windows); zeros for none.
    class_id: see `perception.classes`.
    """

    name: str
    albedo: tuple[float, float, float]
    texture: str = "plain"
    specular: float = 0.0
    reflectivity: float = 0.3
    warmth: float = 0.0
    emissivity: float = 0.95
    glow: tuple[float, float, float] = (0.0, 0.0, 0.0)
    class_id: int = BACKGROUND


@dataclass
class Mesh:
    """Triangles with a material each.

    vertices: (V, 3) float32 metres. triangles: (T, 3) uint32. materials: (T,) uint16, index into Scene.materials.
    """

    vertices: NDArray[np.float32]
    triangles: NDArray[np.uint32]
    materials: NDArray[np.uint16]


@dataclass
class Actor:
    """Something that moves: a car, a cyclist, a pedestrian.

    kind: "car", "van", "truck", "bus", "cyclist", "pedestrian", … shape: time [s] → mesh in the actor's own frame
    (x forward, y left, z up, origin on the ground), so that legs can walk. pose: time [s] → (4, 4) actor → world.
    """

    kind: str
    shape: Callable[[float], Mesh]
    pose: Callable[[float], NDArray[np.float64]]


@dataclass
class Scene:
    """A street: static and moving objects, and the path of the sensing vehicle.

    ego: time [s] → (4, 4) pose of the ego vehicle's ground point (x forward, y left, z up) in the world.
    lamps: (L, 3) world positions of street lamps. headlights of the ego vehicle are the renderer's business.
    things: (T,) for each triangle of `static`, the number from 1 of the thing that it belongs to, 0 for the ground.
    """

    materials: list[Material]
    static: Mesh
    actors: list[Actor] = field(default_factory=list)
    ego: Callable[[float], NDArray[np.float64]] = lambda _t: np.eye(4)
    lamps: NDArray[np.float32] = field(default_factory=lambda: np.zeros((0, 3), np.float32))
    things: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        if not len(self.things):
            self.things = np.zeros(len(self.static.triangles), np.int64)


def merge(meshes: list[Mesh]) -> Mesh:
    """One mesh of all the triangles of `meshes` (at least one)."""
    offsets = np.cumsum([0] + [len(m.vertices) for m in meshes[:-1]]).astype(np.uint32)
    return Mesh(
        np.concatenate([m.vertices for m in meshes]).astype(np.float32),
        np.concatenate([m.triangles + o for m, o in zip(meshes, offsets, strict=True)]).astype(np.uint32),
        np.concatenate([m.materials for m in meshes]).astype(np.uint16),
    )


def transformed(mesh: Mesh, pose: NDArray[np.float64]) -> Mesh:
    """`mesh` moved by the (4, 4) `pose`."""
    vertices = mesh.vertices @ pose[:3, :3].T.astype(np.float32) + pose[:3, 3].astype(np.float32)
    return Mesh(vertices.astype(np.float32), mesh.triangles, mesh.materials)
