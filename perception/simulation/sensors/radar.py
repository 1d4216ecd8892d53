# SPDX-License-Identifier: Apache-2.0
"""An automotive radar at 77 GHz that looks ahead: few returns, coarse in angle, exact in speed, some of nothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.frame import Returns
from perception.sensors.radar import clutter
from perception.simulation.optics.raycast import Hits
from perception.simulation.surroundings import Surroundings

PLACE = (0.8, 0.0, 0.5)
"""Metres forward, left and up of the ground below the camera: behind the bumper, level."""

AZIMUTH, ELEVATION = (-60.0, 60.0, 241), (-6.0, 6.0, 9)
"""Degrees from and to, and how many rays: the field of view."""

CELL_RANGE, CELL_ANGLE = 0.4, np.radians(3.0)
"""Metres and radians within which one return is told from another."""

RANGE_NOISE, ANGLE_NOISE, RATE_NOISE, SECTION_NOISE = 0.1, np.radians(0.8), 0.1, 3.0
"""Standard deviations: metres, radians, m/s, dB; the last is that of echoes that add up and cancel."""

SECTIONS = {VEHICLE: 10.0, PEDESTRIAN: -4.0, ROAD: -24.0}
"""dBsm of what is met head-on, and OTHERS for everything else: poles, walls, leaves."""

OTHERS = 0.0

REACH = 70.0
"""Metres at which a square metre is seen half of the time."""

STRONGEST = 125
"""Returns that a scan has room for, as of Continental's ARS 408 and nuScenes' files."""

GHOSTS, GHOST_LOSS = 0.06, 8.0
"""Share of the returns that come again by a detour over a wall or another vehicle, and how much fainter [dB]."""

CLUTTER = 3.0
"""Returns of nothing per scan, in the mean."""

STEP = 0.02
"""Seconds over which speeds are measured."""


def see_returns(around: Surroundings) -> Returns:
    """One scan; the radar's velocity comes with it, as odometry knows it."""
    rng, mount = around.rng, _mount()
    pose = around.ego(around.time) @ mount
    before, after = around.ego(around.time - STEP / 2) @ mount, around.ego(around.time + STEP / 2) @ mount
    own = (after[:3, 3] - before[:3, 3]) / STEP
    rays = _rays(pose, around.density)
    hits = around.tracer.cast(rays)
    section = _sections(around, hits, rays)
    local = (hits.position.astype(np.float64) - pose[:3, 3]) @ pose[:3, :3]
    distance, azimuth = np.linalg.norm(local, axis=1), np.arctan2(local[:, 1], local[:, 0])
    rows = _resolved(distance, azimuth, section)
    signal = section[rows] + rng.normal(0, SECTION_NOISE, len(rows)) - 40 * np.log10(distance[rows] / REACH)
    seen = rng.random(len(rows)) < 1 / (1 + np.exp(-np.clip(signal / 2, -50, 50)))
    rows = rows[seen]
    rows = rows[np.argsort(-signal[seen])][:STRONGEST]
    towards = (hits.position[rows] - pose[:3, 3]) / np.maximum(distance[rows, None], 1e-3)
    rate = np.einsum("ij,ij->i", _velocities(around, hits, rows) - own, towards)
    found = np.column_stack([distance[rows], azimuth[rows], rate, section[rows]])
    ghosts = found[rng.random(len(found)) < GHOSTS]
    ghosts[:, 0] *= rng.uniform(1.2, 2.0, len(ghosts))
    ghosts[:, 3] -= GHOST_LOSS
    found = np.concatenate([found, ghosts])
    found += rng.standard_normal(found.shape) * (RANGE_NOISE, ANGLE_NOISE, RATE_NOISE, SECTION_NOISE)
    flat = np.column_stack([found[:, 0] * np.cos(found[:, 1]), found[:, 0] * np.sin(found[:, 1]), 0 * found[:, 0]])
    values = np.column_stack([flat, found[:, 2:]]).astype(np.float32)
    values = np.concatenate([values, clutter(int(rng.poisson(CLUTTER)), rng)])
    to_camera = np.linalg.inv(around.rig.camera_to_ego()) @ mount
    return Returns(values, to_camera, own @ pose[:3, :3])


def _mount() -> NDArray[np.float64]:
    mount = np.eye(4)
    mount[:3, 3] = PLACE
    return mount


def _rays(pose: NDArray[np.float64], density: float) -> NDArray[np.float32]:
    """(R, 6) float32 in the world."""
    low, high, count = AZIMUTH
    azimuth = np.radians(np.linspace(low, high, max(2, round(count * density**0.5))))
    elevation = np.radians(np.linspace(*ELEVATION))
    elevation, azimuth = (grid.ravel() for grid in np.meshgrid(elevation, azimuth, indexing="ij"))
    flat = np.cos(elevation)
    towards = np.stack([flat * np.cos(azimuth), flat * np.sin(azimuth), np.sin(elevation)], 1) @ pose[:3, :3].T
    return np.concatenate([np.broadcast_to(pose[:3, 3], towards.shape), towards], 1).astype(np.float32)


def _sections(around: Surroundings, hits: Hits, rays: NDArray[np.float32]) -> NDArray[np.float64]:
    """(H,) dBsm of what each ray met: less where it is met askew, as smooth metal sends the wave elsewhere."""
    head_on = np.full(256, OTHERS)
    for class_id, section in SECTIONS.items():
        head_on[class_id] = section
    met = around.table.class_id[hits.material]
    cosine = np.abs(np.einsum("ij,ij->i", hits.normal, rays[hits.ray, 3:])).clip(0.05, 1)
    return np.asarray(head_on[met] + 10 * np.log10(cosine), np.float64)


def _resolved(
    distance: NDArray[np.float64], azimuth: NDArray[np.float64], section: NDArray[np.float64]
) -> NDArray[np.intp]:
    """The strongest hit of each cell of range and angle."""
    strongest = np.argsort(-section, kind="stable")
    cells = np.stack([distance[strongest] // CELL_RANGE, azimuth[strongest] // CELL_ANGLE], 1)
    _, first = np.unique(cells, axis=0, return_index=True)
    return strongest[first]


def _velocities(around: Surroundings, hits: Hits, rows: NDArray[np.intp]) -> NDArray[np.float64]:
    """(len(rows), 3) m/s in the world of what was met."""
    found = np.zeros((len(rows), 3))
    for instance in np.unique(hits.instance[rows]).tolist():
        if instance > 0:  # whatever stands still is 0
            pose = around.scene.actors[instance - 1].pose
            speed = (pose(around.time + STEP / 2)[:3, 3] - pose(around.time - STEP / 2)[:3, 3]) / STEP
            found[hits.instance[rows] == instance] = speed
    return found
