# SPDX-License-Identifier: Apache-2.0
"""Things as large as vehicles that are none: garages, skips, containers, heaps under tarpaulins, fences, barriers.

Each is centred on the origin and faces -y (the street); length counts along x, depth along y. Metres. They reach a
little into the ground, for slopes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh, merge, transformed
from perception.simulation.things import furniture
from perception.simulation.things.materials import BOARDS, COVERS, ROOFS, YARD_PAINTS, index
from perception.simulation.things.shapes import box, boxes, loft, mirrored, pose, recoloured

SUNK = 0.12
"""How far things reach into the ground."""


def paint(rng: np.random.Generator) -> int:
    """Some painted sheet metal."""
    return index(f"yard_{rng.choice(list(YARD_PAINTS))}")


def boards(rng: np.random.Generator) -> int:
    """Boards or reed, weathered or painted."""
    return index(str(rng.choice(["wood", *(f"boards_{n}" for n in BOARDS)])))


def masonry(rng: np.random.Generator) -> int:
    """What walls are built of."""
    return index(str(rng.choice(["plaster_0", "plaster_1", "plaster_3", "plaster_6", "brick_0", "concrete"])))


def garage(rng: np.random.Generator, depth: float) -> Mesh:
    """A garage or shed with one or two recessed doors."""
    width, height, top = rng.uniform(2.6, 6.5), rng.uniform(2.25, 3.0), rng.uniform(1.9, 2.15)
    doors, pier, recess, over = (2 if width > 4.6 else 1), 0.28, 0.2, rng.uniform(0.1, 0.3)
    wall, leaf = (boards if rng.random() < 0.2 else masonry)(rng), (boards if rng.random() < 0.3 else paint)(rng)
    wide = (width - pier * (doors + 1)) / doors
    front, tall = -depth / 2, height + SUNK
    piers = [
        [i * (wide + pier) + (pier - width) / 2, front + recess / 2, (height - SUNK) / 2] for i in range(doors + 1)
    ]
    leaves = [[pier + wide / 2 + i * (wide + pier) - width / 2, front + recess - 0.02, top / 2] for i in range(doors)]
    parts = [
        box((width, depth - recess, tall), (0.0, recess / 2, (height - SUNK) / 2), wall),
        boxes([[pier, recess, tall]], piers, wall),
        box((width, recess, height - top), (0.0, front + recess / 2, (height + top) / 2), wall),
        boxes([[wide, 0.06, top + SUNK]], leaves, leaf),
    ]
    half = width / 2 + over
    if rng.random() < 0.6:
        parts.append(box((2 * half, depth + 2 * over, 0.18), (0.0, 0.0, height + 0.09), paint(rng)))
    else:
        gable = [(-half, height - 0.1), (half, height - 0.1), (0.0, height + 0.35 * half)]
        rings = [[[x, y, z] for x, z in gable] for y in (front - over, depth / 2 + over)]
        parts.append(loft(rings, index(f"roof_{rng.integers(len(ROOFS))}"), caps=wall))
    return merge(parts)


def mound(rng: np.random.Generator, size: Sequence[float], material: int, dents: float, square: float = 2.6) -> Mesh:
    """A heap with a rounded top. size: half its length, half its depth, its height. square: 2 for an ellipse's plan."""
    angle = np.linspace(0.0, 2 * np.pi, 18, endpoint=False)
    level = np.array([-0.15, 0.0, 0.25, 0.5, 0.72, 0.88, 0.97, 1.0])
    radius = np.clip(1.0 - np.abs(level) ** square, 0.0, 1.0) ** (1 / 2.3)
    plan = np.stack([np.sign(f) * np.abs(f) ** (2 / square) for f in (np.cos(angle), np.sin(angle))], axis=-1)
    rings = np.concatenate([radius[:, None, None] * plan, np.broadcast_to(level[:, None, None], (8, 18, 1))], axis=-1)
    rings[..., :2] *= rng.uniform(1.0 - dents, 1.0, (8, 18, 1))
    rings[..., 2] *= rng.uniform(1.0 - dents, 1.0, (1, 18))
    return loft(rings * np.asarray(size), material)


def heap(rng: np.random.Generator) -> Mesh:
    """Something of a car's size under a tarpaulin, or a heap of earth or gravel."""
    covered = rng.random() < 0.65
    material = f"cover_{rng.choice(list(COVERS))}" if covered else str(rng.choice(["dirt", "gravel", "grass"]))
    size = (rng.uniform(1.2, 2.4), rng.uniform(0.7, 0.95), rng.uniform(1.0, 1.7))
    return mound(rng, size, index(material), 0.08 if covered else 0.22, rng.uniform(2.4, 4.0) if covered else 2.0)


def boulders(rng: np.random.Generator) -> Mesh:
    """One to three boulders in a row."""
    stone, parts, x = index(str(rng.choice(["stone_wall", "concrete", "gravel"]))), [], 0.0
    for _ in range(rng.integers(1, 4)):
        half = rng.uniform(0.45, 1.0)
        rock = mound(rng, (half, rng.uniform(0.4, 0.8), rng.uniform(0.6, 1.2)), stone, 0.3, 2.0)
        parts.append(transformed(rock, pose(x + half, 0.0)))
        x += 2 * half + 0.3
    return transformed(merge(parts), pose(-x / 2, 0.0))


def stack(rng: np.random.Generator) -> Mesh:
    """Layers of timber, bricks, slabs or pallets."""
    layer, material = [
        (0.16, "wood"), (0.2, "boards_grey"), (0.3, "brick_0"), (0.3, "concrete"), (0.45, "boards_white"),
    ][rng.integers(5)]  # fmt: skip
    count = int(rng.uniform(0.9, 2.0) / layer)
    length, depth = rng.uniform(1.3, 4.8), rng.uniform(0.9, 1.6)
    sizes = np.array([length, depth, layer - 0.02]) * rng.uniform([0.93, 0.93, 1.0], 1.0, (count, 3))
    centres = np.column_stack([0.03 * rng.standard_normal((count, 2)), (np.arange(count) + 0.5) * layer])
    core = box(
        (0.85 * length, 0.85 * depth, count * layer - 0.03), (0.0, 0.0, count * layer / 2 - 0.03), index(material)
    )
    return merge([boxes(sizes, centres, index(material)), core])


def kiosk(rng: np.random.Generator) -> Mesh:
    """A transformer kiosk with doors of louvres."""
    length, depth, height = rng.uniform(1.8, 3.2), rng.uniform(1.2, 1.9), rng.uniform(1.5, 2.5)
    wall, count = (masonry if rng.random() < 0.5 else paint)(rng), 2 if length < 2.5 else 3
    x = (np.arange(count) + 0.5) * length / count - length / 2
    doors = [[a, -depth / 2 - 0.01, 0.48 * height] for a in x]
    return merge([
        box((length, depth, height + SUNK), (0.0, 0.0, (height - SUNK) / 2), wall),
        boxes([[0.8 * length / count, 0.06, 0.8 * height]], doors, paint(rng)),
        box((length + 0.2, depth + 0.2, 0.14), (0.0, 0.0, height + 0.07), index("concrete")),
    ])  # fmt: skip


def turned(profile: Sequence[tuple[float, float]], material: Sequence[int], sides: int = 14) -> Mesh:
    """A body of revolution about z. profile: (radius, z) from the foot up. material: one for each stretch."""
    r, z = np.array(profile).T[..., None]
    angle = np.linspace(0.0, 2 * np.pi, sides, endpoint=False)
    rings = np.stack([r * np.cos(angle), r * np.sin(angle), np.broadcast_to(z, (len(r), sides))], axis=-1)
    return loft(rings, np.repeat(np.array(material)[:, None], sides, axis=1))


def advertising_pillar(rng: np.random.Generator) -> Mesh:
    """A round pillar plastered with bills."""
    radius, height = rng.uniform(0.55, 0.7), rng.uniform(2.5, 3.2)
    levels = np.linspace(0.3, height, 4)
    profile = [(radius + 0.08, -SUNK), (radius + 0.08, 0.3), *((radius, z) for z in levels)]
    profile += [(radius + 0.15, height + 0.02), (radius + 0.15, height + 0.15), (0.1, height + 0.55)]
    bills = [paint(rng) for _ in range(3)]
    return turned(profile, [*[index("concrete")] * 2, *bills, *[index("yard_grey")] * 3])


def phone_box(rng: np.random.Generator) -> Mesh:
    """A glazed phone box."""
    colour, wide, height = paint(rng), 0.95, 2.3
    posts = [[x, y, height / 2] for x in (-wide / 2, wide / 2) for y in (-wide / 2, wide / 2)]
    return merge([
        boxes([[0.09, 0.09, height]], posts, colour),
        box((wide - 0.06, wide - 0.06, height - 0.4), (0.0, 0.0, height / 2 + 0.1), index("window")),
        boxes([[wide, wide, 0.35 + SUNK], [wide + 0.1, wide + 0.1, 0.25]], [[0, 0, 0.1], [0, 0, height]], colour),
    ])  # fmt: skip


def screen(length: float, height: float, material: int) -> Mesh:
    """An opaque fence between posts."""
    posts = [[x, 0.0, height / 2] for x in np.linspace(-length / 2, length / 2, max(2, round(length / 1.8) + 1))]
    panel = box((length, 0.05, height + SUNK), (0.0, -0.02, (height - SUNK) / 2), material)
    return merge([panel, boxes([[0.1, 0.1, height + 0.06]], posts, material)])


def concrete_barrier(length: float, height: float, material: int) -> Mesh:
    """The New Jersey profile, 0.6 m wide at its foot."""
    half: NDArray[np.float64] = np.array([[0.3, -SUNK], [0.3, 0.08], [0.17, 0.33], [0.09, height]])
    profile = np.concatenate([half, half[::-1] * [-1.0, 1.0]])
    rings = [np.column_stack([np.full(8, x), profile]) for x in (-length / 2, length / 2)]
    return loft(rings, material, caps=material)


def guard_rail(material: int, double: bool) -> Mesh:
    """4 m of guard rail, with one beam or with two above each other."""
    rail = mirrored(transformed(furniture.guard_rail(), pose(-2.0, 0.0)))
    rail = recoloured(rail, {index("guard_rail"): material})
    return merge([rail, transformed(rail, pose(0.0, 0.0, 0.33))]) if double else rail
