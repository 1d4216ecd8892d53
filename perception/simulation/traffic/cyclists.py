# SPDX-License-Identifier: Apache-2.0
"""Bicycles and scooters, and people who ride bicycles. Wheels stand on z = 0, the nose points to +x, metres."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import boxes, ellipsoids, loft, tubes
from perception.simulation.traffic.people import (
    FOREARM,
    SHIN,
    THIGH,
    UPPER_ARM,
    Person,
    Pose,
    figure,
    joint_between,
    shoulders,
)

WHEEL = 0.34
REAR, FRONT = (-0.52, 0.0, WHEEL), (0.53, 0.0, WHEEL)
CRANK_CENTRE, CRANK = (-0.08, 0.0, 0.29), 0.17
SADDLE = (-0.24, 0.0, 0.94)
GRIPS = np.array([[0.36, -0.26, 1.04], [0.36, 0.26, 1.04]])


@lru_cache(maxsize=8)
def bicycle(colour: int) -> Mesh:
    """A city bicycle, 1.7 m long. colour: 0–3."""
    frame, dark, steel = index(f"bike_{colour % 4}"), index("trim"), index("rim")
    head, seat = (0.37, 0.0, 0.86), (-0.20, 0.0, 0.80)
    crank = CRANK_CENTRE
    starts = [crank, crank, seat, crank, seat, head, (0.34, 0.0, 0.98)]
    ends = [head, seat, head, REAR, REAR, FRONT, head]
    tubing = tubes(starts, ends, 0.018, 0.018, frame, 6)
    bars = tubes(
        [(0.34, -0.28, 1.03), seat, (0.34, 0.0, 1.0)],
        [(0.34, 0.28, 1.03), SADDLE, (0.34, 0.0, 1.03)],
        0.014,
        0.014,
        steel,
        6,
    )
    saddle = ellipsoids([[0.13, 0.075, 0.035]], [SADDLE], index("saddle"), 8, 4)
    extras = boxes(
        [[0.30, 0.10, 0.02], [0.04, 0.07, 0.06], [0.05, 0.06, 0.07], [0.06, 0.09, 0.02]],
        [[-0.56, 0, 0.74], [-0.73, 0, 0.70], [0.46, 0, 0.88], [0.08, -0.12, 0.29]],
        [steel, index("reflector"), index("headlight"), dark],
    )
    return merge([_spoked_wheel(REAR), _spoked_wheel(FRONT), tubing, bars, saddle, extras])


def _spoked_wheel(centre: tuple[float, float, float]) -> Mesh:
    angle = np.linspace(0.0, 2 * np.pi, 20, endpoint=False)
    circle = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=-1)
    inner, outer, side = WHEEL - 0.045, WHEEL, np.array([0.0, 0.02, 0.0])
    middle = np.asarray(centre)
    rings = [middle + inner * circle - side, middle + outer * circle, middle + inner * circle + side]
    ends = middle + inner * circle[::2]
    spokes = tubes(np.tile(middle, (10, 1)), ends, 0.006, 0.004, index("rim"), 3)
    return merge([loft(rings, index("bike_tyre")), spokes])


def rider(person: Person, colour: int, pedal: float, helmet: bool) -> Mesh:
    """A person on a bicycle. pedal: angle of the right crank, radians."""
    wearing = figure(person, _riding(person, pedal))
    parts = [bicycle(colour), wearing]
    if helmet:
        crown = wearing.vertices[wearing.vertices[:, 2] > wearing.vertices[:, 2].max() - 0.1].mean(axis=0)
        parts.append(ellipsoids([[0.15, 0.11, 0.09]], [crown], index("helmet"), 10, 5))
    return merge(parts)


def _riding(person: Person, pedal: float) -> Pose:
    h = person.height
    side = np.array([-1.0, 1.0])
    crank = pedal + np.array([0.0, np.pi])
    balls = np.array(CRANK_CENTRE) + np.stack([CRANK * np.cos(crank), 0.13 * side, CRANK * np.sin(crank)], axis=-1)
    ankles = balls + np.array([-0.09, 0.0, 0.09])
    toes = balls + np.array([0.03, 0.0, 0.02])
    pelvis = np.array(SADDLE) + np.array([0.0, 0.0, 0.10])
    hips = pelvis + np.stack([0 * side, side * 0.052 * h, 0 * side], axis=-1)
    lean = 0.38
    joints = shoulders(person, pelvis, lean)
    knees = joint_between(hips, ankles, THIGH * h, SHIN * h, np.array([[1.0, 0.0, 0.3]]))
    elbows = joint_between(joints, GRIPS, UPPER_ARM * h, FOREARM * h, np.array([[-0.5, 0.0, -1.0]]))
    return Pose(pelvis, lean, knees, ankles, toes, elbows, GRIPS.copy())


@lru_cache(maxsize=8)
def scooter(colour: int) -> Mesh:
    """A parked motor scooter, 1.8 m long. colour: 0–3."""
    paint, dark = index(f"bike_{colour % 4}"), index("trim")
    wheels = [_fat_wheel(-0.62), _fat_wheel(0.65)]
    body = ellipsoids(
        [[0.48, 0.20, 0.20], [0.30, 0.17, 0.09], [0.11, 0.20, 0.34]],
        [[-0.48, 0, 0.58], [-0.32, 0, 0.80], [0.50, 0, 0.66]],
        [paint, index("saddle"), paint], 10, 6,
    )  # fmt: skip
    floor = boxes([[0.75, 0.28, 0.08], [0.06, 0.14, 0.12], [0.04, 0.18, 0.14], [0.06, 0.2, 0.08]],
                  [[0.12, 0, 0.30], [0.62, 0, 0.88], [-0.96, 0, 0.50], [-0.94, 0, 0.66]],
                  [dark, index("headlight"), index("plate"), index("taillight")])  # fmt: skip
    bars = tubes([(0.45, -0.34, 1.02), (0.64, 0, 0.25), (0.42, -0.3, 1.02), (0.42, 0.3, 1.02)],
                 [(0.45, 0.34, 1.02), (0.44, 0, 1.02), (0.40, -0.36, 1.22), (0.40, 0.36, 1.22)],
                 [0.02, 0.03, 0.01, 0.01], [0.02, 0.03, 0.05, 0.05], dark, 6)  # fmt: skip
    return merge([*wheels, body, floor, bars])


def _fat_wheel(x: float) -> Mesh:
    angle = np.linspace(0.0, 2 * np.pi, 14, endpoint=False)
    circle = np.stack([np.cos(angle), 0 * angle, np.sin(angle)], axis=-1)
    rows = [(0.05, -0.03), (0.17, -0.04), (0.23, -0.03), (0.23, 0.03), (0.17, 0.04), (0.05, 0.03)]
    rings = [np.array([x, y, 0.23]) + r * circle for r, y in rows]
    rim, tyre = index("rim"), index("tyre")
    return loft(rings, np.repeat([[rim], [tyre], [tyre], [tyre], [rim]], 14, axis=1))
