# SPDX-License-Identifier: Apache-2.0
"""Procedural patterns that give surfaces their detail, by the names that materials carry.

A pattern rewrites the columns of a `Patch` in place. Detail finer than a pixel fades out instead of flickering.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.vectors import Floats
from perception.simulation.sensors.noise import cell_hash, noise, unrolled


@dataclass
class Patch:
    """N visible points that share a pattern.

    u, v: (N,) metres along the surface (on walls v is the height). height: (N,) metres above the object's foot.
    footprint: (N,) metres that a pixel spans. albedo, glow: (N, 3). specular, glass: (N,).
    """

    u: Floats
    v: Floats
    height: Floats
    footprint: Floats
    albedo: Floats
    specular: Floats
    glow: Floats
    glass: Floats

    def shade(self, factor: Floats) -> None:
        """Multiplies the albedo by `factor` (N,)."""
        self.albedo *= np.maximum(factor, 0.05)[:, None]

    def blend(self, weight: Floats, colour: tuple[float, float, float]) -> None:
        """Moves the albedo towards `colour` by `weight` (N,) 0–1."""
        self.albedo += weight[:, None] * (np.array(colour, np.float32) - self.albedo)

    def noise(self, period: float, roughness: float = 1.0, stretch: float = 1.0) -> Floats:
        """(N,) noise repeating every `period` metres, `stretch` times longer along v, faded where a pixel spans it."""
        fade = np.clip(1.3 - self.footprint * np.float32(12.0 / period), 0.0, 1.0)
        return noise(self.u, self.v / np.float32(stretch), period, roughness) * fade

    def lines(self, coordinate: Floats, period: float, width: float) -> Floats:
        """(N,) 0–1 how much of the pixel is covered by lines of `width` every `period` metres."""
        distance = np.abs(np.remainder(coordinate + period / 2, period) - period / 2)
        size = np.minimum(self.footprint, np.float32(period))
        return np.clip((width + size) / 2 - distance, 0.0, np.minimum(width, size)) / np.maximum(size, 1e-6)


def _plain(patch: Patch) -> None:
    pass


def _asphalt(patch: Patch) -> None:
    stains, grain = patch.noise(37.0, 1.3), patch.noise(0.9, 0.3)
    middle = patch.noise(5.3, 1.0)
    cracks = np.clip(1.0 - np.abs(patch.noise(23.0, 1.4)) * 45.0, 0.0, 1.0) * (stains > 0.6)
    patch.shade(1.0 + 0.10 * stains + 0.05 * middle + 0.13 * grain - 0.35 * cracks)


def _concrete(patch: Patch) -> None:
    joints = np.maximum(patch.lines(patch.u, 2.5, 0.02), patch.lines(patch.v, 1.25, 0.015))
    patch.shade(1.0 + 0.09 * patch.noise(9.0, 1.3) + 0.06 * patch.noise(1.1, 0.5) - 0.45 * joints)


def _paving(patch: Patch) -> None:
    row = np.floor(patch.v / 0.4)
    shifted = patch.u + 0.3 * np.remainder(row, 2.0)
    slab = cell_hash(np.floor(shifted / 0.6).astype(np.int64), row.astype(np.int64)) - 0.5
    fade = np.clip(1.3 - patch.footprint / 0.25, 0.0, 1.0)
    joints = np.maximum(patch.lines(shifted, 0.6, 0.014), patch.lines(patch.v, 0.4, 0.014))
    patch.shade(1.0 + 0.22 * slab * fade + 0.09 * patch.noise(11.0, 1.2) + 0.08 * patch.noise(0.8, 0.3) - 0.5 * joints)


def _brick(patch: Patch) -> None:
    row = np.floor(patch.v / 0.085)
    shifted = patch.u + 0.125 * np.remainder(row, 2.0)
    brick = cell_hash(np.floor(shifted / 0.25).astype(np.int64), row.astype(np.int64)) - 0.5
    fade = np.clip(1.3 - patch.footprint / 0.07, 0.0, 1.0)
    patch.shade(1.0 + 0.45 * brick * fade + 0.12 * patch.noise(13.0, 1.2))
    mortar = np.maximum(patch.lines(shifted, 0.25, 0.012), patch.lines(patch.v, 0.085, 0.012))
    patch.blend(mortar * 0.8, (0.33, 0.31, 0.28))


def _plaster(patch: Patch) -> None:
    streaks = patch.noise(7.0, 1.0, stretch=8.0)
    splashes = 0.3 * np.clip(0.7 - patch.height, 0.0, 0.7)
    patch.shade(1.0 + 0.06 * patch.noise(15.0, 1.4) + 0.05 * streaks + 0.04 * patch.noise(0.7, 0.3) - splashes)


STOREY, BAY, WINDOW_WIDTH, WINDOW_HEIGHT = 3.1, 2.7, 1.25, 1.6


def _windows(patch: Patch) -> None:
    _plaster(patch)
    column, row = np.floor(patch.u / BAY), np.floor(patch.v / STOREY)
    across = np.abs(patch.u - (column + 0.5) * BAY)
    up = patch.v - row * STOREY - 0.95
    soft = np.maximum(patch.footprint, 0.005)
    frame = _box(across, up, WINDOW_WIDTH / 2 + 0.12, -0.12, WINDOW_HEIGHT + 0.12, soft)
    pane = _box(across, up, WINDOW_WIDTH / 2 - 0.06, 0.06, WINDOW_HEIGHT - 0.06, soft)
    pane *= 1.0 - np.clip((0.07 + soft) / 2 - across, 0.0, np.minimum(0.07, soft)) / soft
    who = cell_hash(column.astype(np.int64), row.astype(np.int64), 3)
    patch.blend(frame, (0.62, 0.61, 0.58))
    patch.blend(pane, (0.025, 0.03, 0.035))
    curtain = pane * (who < 0.35) * np.clip(0.25 + up / WINDOW_HEIGHT, 0.0, 1.0)
    patch.blend(curtain * 0.7, (0.42, 0.41, 0.38))
    patch.specular += pane * (0.8 - patch.specular)
    patch.glass += pane * (1.0 - patch.glass)
    lit = pane * (who > 0.72) * (0.5 + 2.0 * (who - 0.72))
    patch.glow += lit[:, None] * np.array([0.95, 0.66, 0.34], np.float32)


def _box(across: Floats, up: Floats, half_width: float, bottom: float, top: float, soft: Floats) -> Floats:
    sideways = np.clip((half_width - across) / soft + 0.5, 0.0, 1.0)
    return sideways * np.clip((up - bottom) / soft + 0.5, 0.0, 1.0) * np.clip((top - up) / soft + 0.5, 0.0, 1.0)


def _grass(patch: Patch) -> None:
    tuft, blade = patch.noise(6.0, 1.0), patch.noise(0.8, 0.3)
    patch.shade(1.0 + 0.25 * tuft + 0.40 * blade)
    patch.blend(np.clip(patch.noise(21.0, 1.3) * 0.25, 0.0, 0.6), (0.17, 0.15, 0.06))


def _leaves(patch: Patch) -> None:
    cluster, leaf = patch.noise(5.0, 0.9), patch.noise(1.7, 0.25)
    gaps = np.clip(-(leaf + 0.5 * cluster) - 0.7, 0.0, 1.0)
    patch.shade((1.0 + 0.30 * cluster + 0.45 * leaf) * (1.0 - 0.85 * gaps))
    patch.albedo[:, 0] *= np.clip(1.0 + 0.18 * cluster, 0.5, 1.6)


def leaf_gaps(position: Floats, normal: Floats) -> NDArray[np.bool_]:
    """(N,) where one looks through between the leaves of a surface of leaves. position, normal: (N, 3) in its frame."""
    u, v = unrolled(position, normal)
    return np.asarray(noise(u, v, 22.0, 0.5) + 0.5 * noise(u, v, 5.0, 0.6) > 0.15)


def _bark(patch: Patch) -> None:
    patch.shade(1.0 + 0.28 * patch.noise(0.9, 0.5, stretch=5.0) + 0.10 * patch.noise(4.0))


def _dirt(patch: Patch) -> None:
    patch.shade(1.0 + 0.22 * patch.noise(9.0, 1.1) + 0.22 * patch.noise(0.8, 0.3))


def _cloth(patch: Patch) -> None:
    patch.shade(1.0 + 0.14 * patch.noise(1.3, 1.2, stretch=2.5) + 0.05 * patch.noise(0.25, 0.3))


def _paint(patch: Patch) -> None:
    road_dirt = np.clip(0.55 - patch.height, 0.0, 0.4) * (1.0 + 0.4 * patch.noise(2.0))
    patch.blend(np.clip(road_dirt, 0.0, 0.35), (0.10, 0.095, 0.085))
    patch.specular *= 1.0 - np.clip(road_dirt, 0.0, 0.5)


def _glass(patch: Patch) -> None:
    patch.glass[:] = 1.0


def _metal(patch: Patch) -> None:
    patch.shade(1.0 + 0.08 * patch.noise(1.5, 0.8, stretch=3.0))


def _marking(patch: Patch) -> None:
    worn = np.clip(patch.noise(1.6, 0.6) * 0.45 + patch.noise(17.0, 1.2) * 0.25 - 0.25, 0.0, 0.75)
    patch.blend(worn, (0.09, 0.09, 0.09))
    patch.shade(1.0 + 0.05 * patch.noise(0.6, 0.3))


def _roof(patch: Patch) -> None:
    row = np.floor(patch.v / 0.3)
    tile = cell_hash(np.floor(patch.u / 0.25).astype(np.int64), row.astype(np.int64)) - 0.5
    fade = np.clip(1.3 - patch.footprint / 0.15, 0.0, 1.0)
    patch.shade(1.0 + 0.25 * tile * fade + 0.12 * patch.noise(8.0) - 0.4 * patch.lines(patch.v, 0.3, 0.03))


PATTERNS: dict[str, Callable[[Patch], None]] = {
    "plain": _plain, "asphalt": _asphalt, "concrete": _concrete, "paving": _paving, "brick": _brick,
    "plaster": _plaster, "windows": _windows, "grass": _grass, "leaves": _leaves, "bark": _bark, "dirt": _dirt,
    "cloth": _cloth, "paint": _paint, "glass": _glass, "rubber": _plain, "metal": _metal, "marking": _marking,
    "roof": _roof, "skin": _plain,
}  # fmt: skip
"""Every pattern by its name."""

NAMES: tuple[str, ...] = tuple(PATTERNS)
"""The names in a fixed order, so that a material can be an index."""

LEAVES = NAMES.index("leaves")
