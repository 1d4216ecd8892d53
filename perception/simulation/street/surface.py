# SPDX-License-Identifier: Apache-2.0
"""What the hit surfaces are made of, looked up once and shared by camera, thermal camera and LiDAR."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.classes import VEHICLE
from perception.simulation.optics.raycast import Hits
from perception.simulation.optics.vectors import Floats, rows_of
from perception.simulation.scene import Material
from perception.simulation.sensors.noise import unrolled
from perception.simulation.things import textures


class MaterialTable:
    """A scene's materials as arrays, one row per material."""

    def __init__(self, materials: Sequence[Material]) -> None:
        self.albedo = np.array([m.albedo for m in materials], np.float32)
        self.specular = np.array([m.specular for m in materials], np.float32)
        self.reflectivity = np.array([m.reflectivity for m in materials], np.float32)
        self.warmth = np.array([m.warmth for m in materials], np.float32)
        self.emissivity = np.array([m.emissivity for m in materials], np.float32)
        self.glow = np.array([m.glow for m in materials], np.float32)
        self.class_id = np.array([m.class_id for m in materials], np.uint8)
        self.bicycle = np.array([m.name.startswith("bike_") and m.class_id == VEHICLE for m in materials], bool)
        self.texture = np.array([textures.NAMES.index(m.texture) for m in materials], np.uint8)


@dataclass
class Surface:
    """The looks of H hits, one row each.

    albedo, glow: (H, 3) linear RGB. specular: (H,) 0–1. glass: (H,) 0–1, how much of it is a pane.
    texture: (H,) index into textures.NAMES.
    """

    albedo: Floats
    specular: Floats
    glow: Floats
    glass: Floats
    texture: NDArray[np.uint8]


def look_up(hits: Hits, table: MaterialTable, footprint: Floats) -> Surface:
    """The surfaces of `hits` with their patterns drawn. footprint: (H,) metres that one pixel spans there."""
    texture = table.texture[hits.material]
    count = len(texture)
    albedo, glow = np.empty((count, 3), np.float32), np.zeros((count, 3), np.float32)
    specular, glass = np.empty(count, np.float32), np.zeros(count, np.float32)
    u, v = unrolled(hits.local, hits.local_normal)
    height = np.ascontiguousarray(hits.local[:, 2])
    for number in np.unique(texture):
        rows = np.flatnonzero(texture == number)
        material = hits.material[rows]
        patch = textures.Patch(
            u=u[rows],
            v=v[rows],
            height=height[rows],
            footprint=footprint[rows],
            albedo=rows_of(table.albedo, material),
            specular=table.specular[material],
            glow=rows_of(table.glow, material),
            glass=np.zeros(len(rows), np.float32),
        )
        textures.PATTERNS[textures.NAMES[number]](patch)
        albedo[rows], specular[rows], glass[rows] = patch.albedo, patch.specular, patch.glass
        if patch.glow.any():
            glow[rows] = patch.glow
    np.clip(albedo, 0.0, 0.95, out=albedo)
    return Surface(albedo, specular, glow, glass, texture)
