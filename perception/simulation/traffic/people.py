# SPDX-License-Identifier: Apache-2.0
"""Pedestrians that walk and stand: articulated limbs, clothing, hair, bags.

A figure stands on z = 0 at the origin, faces +x, and is as tall as its `Person` says; metres, radians.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import CLOTHES, index
from perception.simulation.things.shapes import boxes, ellipsoids, loft, tubes

Vector = NDArray[np.float64]

# Lengths as fractions of the height.
THIGH, SHIN, UPPER_ARM, FOREARM = 0.245, 0.235, 0.172, 0.15
HIP_HALF, SHOULDER_HALF, TORSO, NECK, HEAD = 0.052, 0.112, 0.295, 0.045, 0.066

_TOPS = ("black", "charcoal", "grey", "light_grey", "white", "cream", "navy", "blue", "sky", "red", "burgundy", "pink",
         "green", "olive", "khaki", "brown", "yellow", "orange", "purple")  # fmt: skip
_TOP_WEIGHTS = np.array([14, 8, 8, 5, 10, 4, 10, 6, 4, 6, 3, 3, 3, 4, 4, 4, 2, 2, 2], float)
_BOTTOMS = ("black", "charcoal", "navy", "jeans", "light_jeans", "grey", "khaki", "brown", "cream", "olive")
_BOTTOM_WEIGHTS = np.array([20, 10, 10, 28, 10, 6, 6, 3, 3, 2], float)


@dataclass(frozen=True)
class Person:
    """Who walks there. height: metres. build: width ÷ that of a slim adult. Colours are names of materials.

    garment: "none", "coat" or "skirt" (an open cone from the waist down). short_sleeves, shorts: bare limbs.
    bag: "none", "backpack", "shoulder" or "hand".
    """

    height: float
    build: float
    skin: str
    hair: str
    long_hair: bool
    hat: str | None
    top: str
    bottom: str
    shoes: str
    garment: str
    short_sleeves: bool
    shorts: bool
    bag: str
    bag_colour: str


@dataclass(frozen=True)
class Pose:
    """Joint positions of a body. Rows of pairs are right, left; all in the figure's own frame, metres.

    lean: how far the torso leans forward. look: direction of the head about z.
    """

    pelvis: Vector
    lean: float
    knees: Vector
    ankles: Vector
    toes: Vector
    elbows: Vector
    wrists: Vector
    look: float = 0.0


def random_person(rng: np.random.Generator, warm_weather: bool = True) -> Person:
    """Somebody of the street: mostly adults, one in eight a child."""
    child = rng.random() < 0.12
    height = rng.uniform(1.05, 1.5) if child else float(np.clip(rng.normal(1.72, 0.09), 1.5, 1.98))
    garment = str(rng.choice(["none", "coat", "skirt"], p=[0.72, 0.14, 0.14]))
    hi_vis = rng.random() < 0.03
    bag = str(rng.choice(["none", "backpack", "shoulder", "hand"], p=[0.5, 0.22, 0.16, 0.12]))
    return Person(
        height=float(height),
        build=float(np.clip(rng.normal(1.08, 0.13), 0.85, 1.5)),
        skin=f"skin_{rng.choice(4, p=[0.55, 0.25, 0.12, 0.08])}",
        hair=f"hair_{rng.choice(4, p=[0.3, 0.35, 0.2, 0.15])}",
        long_hair=bool(rng.random() < 0.4),
        hat=f"cloth_{rng.choice(list(CLOTHES))}" if rng.random() < 0.15 else None,
        top="hi_vis" if hi_vis else f"cloth_{rng.choice(_TOPS, p=_TOP_WEIGHTS / _TOP_WEIGHTS.sum())}",
        bottom=f"cloth_{rng.choice(_BOTTOMS, p=_BOTTOM_WEIGHTS / _BOTTOM_WEIGHTS.sum())}",
        shoes=str(rng.choice(["shoe_dark", "shoe_light"], p=[0.65, 0.35])),
        garment=garment,
        short_sleeves=bool(garment != "coat" and rng.random() < (0.45 if warm_weather else 0.05)),
        shorts=bool(garment == "none" and rng.random() < (0.2 if warm_weather else 0.0)),
        bag=bag,
        bag_colour=str(rng.choice(["bag_dark", "bag_brown", "bag_red"], p=[0.6, 0.25, 0.15])),
    )


def stride_length(height: float) -> float:
    """Metres walked in one full cycle (two steps) by a person of this height."""
    return 0.82 * height


def walking(person: Person, phase: float, vigour: float = 1.0) -> Pose:
    """The pose at `phase` of the walking cycle (2π is two steps); vigour 0 is standing, 1 a brisk walk."""
    h = person.height
    side = np.array([-1.0, 1.0])
    legs = phase + np.array([0.0, np.pi])
    hip = vigour * 0.42 * np.sin(legs) + 0.02
    # the knee bends while its leg swings forward
    knee = vigour * (0.12 + 0.85 * np.clip(np.cos(legs), 0.0, 1.0) ** 2) + 0.04
    thigh = np.stack([np.sin(hip), 0 * hip, -np.cos(hip)], axis=-1)
    shin = np.stack([np.sin(hip - knee), 0 * hip, -np.cos(hip - knee)], axis=-1)
    hips = np.stack([0 * side, side * HIP_HALF * h * person.build**0.5, 0 * side], axis=-1)
    knees = hips + THIGH * h * thigh
    ankles = knees + SHIN * h * shin
    tilt = np.clip(0.9 * (hip - knee), -0.8, 0.35) * vigour
    toes = ankles + 0.1 * h * np.stack([np.cos(tilt), 0.15 * side, np.sin(tilt)], axis=-1)
    drop = min(ankles[:, 2].min(), toes[:, 2].min()) - 0.03 * h
    pelvis = np.array([0.0, 0.0, -drop])
    lean = 0.05 * vigour
    arm = -vigour * 0.5 * np.sin(legs) + lean
    bend = 0.18 + vigour * (0.15 + 0.25 * np.clip(np.sin(arm), 0.0, 1.0))
    upper = np.stack([np.sin(arm), 0.13 * side, -np.cos(arm)], axis=-1)
    lower = np.stack([np.sin(arm + bend), 0.03 * side, -np.cos(arm + bend)], axis=-1)
    elbows = shoulders(person, pelvis, lean) + UPPER_ARM * h * upper
    return Pose(pelvis, lean, knees + pelvis, ankles + pelvis, toes + pelvis, elbows, elbows + FOREARM * h * lower)


def standing(person: Person, arms: str, look: float) -> Pose:
    """A standing pose. arms: "down", "phone" (one hand before the face), "folded" or "hips"; look: turn of the head."""
    pose = walking(person, 0.0, 0.0)
    if arms == "down":
        return replace(pose, look=look)
    h, joints = person.height, shoulders(person, pose.pelvis, pose.lean)
    reach = {
        "phone": [[0.17, 0.06, 0.01], [0.02, 0.03, -0.31]],
        "folded": [[0.12, 0.16, -0.12], [0.13, -0.15, -0.10]],
        "hips": [[0.03, 0.03, -0.25], [0.03, -0.03, -0.25]],
    }[arms]
    wrists = joints + h * np.array(reach)
    elbows = joint_between(
        joints, wrists, UPPER_ARM * h, FOREARM * h, np.array([[-0.6, -1.0, -0.3], [-0.6, 1.0, -0.3]])
    )
    return replace(pose, elbows=elbows, wrists=wrists, look=look)


def joint_between(roots: Vector, ends: Vector, upper: float, lower: float, outward: Vector) -> Vector:
    """(2, 3) where the elbows or knees are of limbs that reach from `roots` to `ends`, bending `outward`.

    upper, lower: lengths of the two parts. Ends out of reach give a stretched limb.
    """
    reach = ends - roots
    distance = np.linalg.norm(reach, axis=1, keepdims=True)
    axis = reach / distance
    span = np.clip(distance, abs(upper - lower) + 1e-3, 0.999 * (upper + lower))
    along = (upper**2 - lower**2 + span**2) / (2 * span)
    aside = np.sqrt(np.maximum(upper**2 - along**2, 0.0))
    bend = outward - np.sum(axis * outward, axis=1, keepdims=True) * axis
    bend /= np.linalg.norm(bend, axis=1, keepdims=True)
    joint: Vector = roots + along * axis + aside * bend
    return joint


def shoulders(person: Person, pelvis: Vector, lean: float) -> Vector:
    """(2, 3) right and left shoulder joints."""
    h = person.height
    middle = pelvis + 0.97 * TORSO * h * np.array([np.sin(lean), 0.0, np.cos(lean)])
    half = SHOULDER_HALF * h * person.build**0.5
    return middle + np.array([[0.0, -half, 0.0], [0.0, half, 0.0]])


def figure(person: Person, pose: Pose) -> Mesh:
    """The person in that pose, about 1300 triangles."""
    parts = [_limbs(person, pose), _torso(person, pose), _head(person, pose), _shoes(person, pose)]
    if person.garment != "none":
        parts.append(_garment(person, pose))
    if person.bag != "none":
        parts.append(_bag(person, pose))
    return merge(parts)


def _limbs(person: Person, pose: Pose) -> Mesh:
    h, w = person.height, person.height * person.build
    skin, bottom, top = index(person.skin), index(person.bottom), index(person.top)
    side = np.array([[0.0, -1.0, 0.0], [0.0, 1.0, 0.0]])
    hips = pose.pelvis + side * HIP_HALF * h * person.build**0.5
    joints = shoulders(person, pose.pelvis, pose.lean)
    hands = pose.wrists + 0.05 * h * _unit(pose.wrists - pose.elbows)
    bare_arm, bare_leg = (
        (skin if person.short_sleeves else top),
        (skin if person.shorts or person.garment == "skirt" else bottom),
    )
    radii = np.array([0.048, 0.034, 0.032, 0.026, 0.021, 0.019]) * w
    return tubes(
        np.concatenate([hips, pose.knees, joints, pose.elbows, pose.wrists]),
        np.concatenate([pose.knees, pose.ankles, pose.elbows, pose.wrists, hands]),
        np.repeat([radii[0], radii[1], radii[2], radii[3], radii[5]], 2),
        np.repeat([radii[1] * 1.05, radii[4] * 1.15, radii[3], radii[4], radii[5] * 0.9], 2),
        np.repeat([bottom, bare_leg, top, bare_arm, skin], 2),
        sides=7,
        rounded=True,
    )


def _torso(person: Person, pose: Pose) -> Mesh:
    h, b = person.height, person.build
    # (height along the torso, half depth, half width), fractions of the height
    rows = np.array([
        [-0.055, 0.030, 0.040], [-0.02, 0.062, 0.088], [0.03, 0.068, 0.095], [0.10, 0.060, 0.082], [0.19, 0.068, 0.098],
        [0.26, 0.062, 0.112], [0.295, 0.045, 0.095], [0.32, 0.032, 0.045], [0.36, 0.028, 0.030],
    ])  # fmt: skip
    angle = np.linspace(0.0, 2 * np.pi, 12, endpoint=False)
    up, ahead = _torso_axes(pose.lean)
    ring = np.stack([np.cos(angle), np.sin(angle)])
    centre = pose.pelvis + rows[:, :1] * h * up
    rings = centre[:, None] + (rows[:, 1, None] * h * b * ring[0])[..., None] * ahead
    rings[..., 1] += rows[:, 2, None] * h * b**0.7 * ring[1]
    trousers, top, skin = index(person.bottom), index(person.top), index(person.skin)
    faces = np.repeat([[trousers], [trousers], [top], [top], [top], [top], [top], [skin]], 12, axis=1)
    return loft(rings, faces, caps=trousers)


def _head(person: Person, pose: Pose) -> Mesh:
    h = person.height
    # children have large heads
    size = HEAD * (1.72 + 0.5 * (h - 1.72)) if h < 1.5 else HEAD * h
    up, ahead = _torso_axes(0.6 * pose.lean)
    top_of_neck = pose.pelvis + (TORSO + 0.5 * NECK) * h * _torso_axes(pose.lean)[0]
    centre = top_of_neck + 0.95 * size * up + 0.012 * h * ahead
    gaze = np.array([np.cos(pose.look), np.sin(pose.look), 0.0])
    parts = [
        ellipsoids([[0.86 * size, 0.74 * size, 1.05 * size]], [centre], index(person.skin), 10, 7),
        ellipsoids([[0.2 * size] * 3], [centre + 0.85 * size * gaze - 0.1 * size * up], index(person.skin), 6, 3),
    ]
    hair = centre - 0.16 * size * gaze + 0.2 * size * up
    parts.append(ellipsoids([[0.88 * size, 0.82 * size, 0.92 * size]], [hair], index(person.hair), 10, 6))
    if person.long_hair:
        fall = centre - 0.45 * size * gaze - 0.7 * size * up
        parts.append(ellipsoids([[0.5 * size, 0.7 * size, 1.1 * size]], [fall], index(person.hair), 8, 5))
    if person.hat is not None:
        cap = centre + 0.45 * size * up
        parts.append(ellipsoids([[0.97 * size, 0.9 * size, 0.72 * size]], [cap], index(person.hat), 10, 5))
        parts.append(
            ellipsoids([[0.75 * size, 0.6 * size, 0.1 * size]], [cap + 0.55 * size * gaze], index(person.hat), 8, 3)
        )
    return merge(parts)


def _shoes(person: Person, pose: Pose) -> Mesh:
    h = person.height
    heel = pose.ankles + 0.25 * (pose.ankles - pose.toes) - np.array([0, 0, 0.008 * h])
    return tubes(heel, pose.toes, 0.024 * h, 0.019 * h, index(person.shoes), sides=7, rounded=True)


def _garment(person: Person, pose: Pose) -> Mesh:
    h, b = person.height, person.build
    coat = person.garment == "coat"
    material = index(person.top if coat else person.bottom)
    knees = pose.knees.mean(axis=0)
    spread = 0.5 * abs(pose.knees[0, 0] - pose.knees[1, 0])
    waist = pose.pelvis + np.array([0.0, 0.0, 0.05 * h])
    hem = np.array([knees[0], 0.0, knees[2] + (0.06 if coat else 0.02) * h])
    angle = np.linspace(0.0, 2 * np.pi, 12, endpoint=False)
    rings = []
    for share in (0.0, 0.35, 1.0):
        centre = (1 - share) * waist + share * hem
        depth = (0.070 + 0.012 * share) * h * b + share * spread
        width = (0.094 + 0.018 * share) * h * b
        rings.append(centre + np.stack([depth * np.cos(angle), width * np.sin(angle), 0 * angle], axis=-1))
    return loft(rings, material)


def _bag(person: Person, pose: Pose) -> Mesh:
    h, material = person.height, index(person.bag_colour)
    up, ahead = _torso_axes(pose.lean)
    if person.bag == "backpack":
        centre = pose.pelvis + 0.19 * h * up - 0.115 * h * person.build * ahead
        return ellipsoids([[0.065 * h, 0.092 * h, 0.135 * h]], [centre], material, 10, 6)
    if person.bag == "shoulder":
        centre = pose.pelvis + np.array([0.0, -0.125 * h * person.build, 0.0])
        strap = tubes([centre], [pose.pelvis + 0.29 * h * up + [0, 0.06 * h, 0]], 0.012, 0.012, material, 5)
        return merge([boxes([[0.20 * h, 0.06 * h, 0.16 * h]], [centre], material), strap])
    hand = pose.wrists[0] + np.array([0.0, 0.0, -0.16 * h])
    return boxes([[0.17 * h, 0.07 * h, 0.18 * h]], [hand], material)


def _torso_axes(lean: float) -> tuple[Vector, Vector]:
    return np.array([np.sin(lean), 0.0, np.cos(lean)]), np.array([np.cos(lean), 0.0, -np.sin(lean)])


def _unit(vectors: Vector) -> Vector:
    result: Vector = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    return result
