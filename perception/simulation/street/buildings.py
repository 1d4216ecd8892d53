# SPDX-License-Identifier: Apache-2.0
"""Houses, blocks of flats, shops, garden walls and fences.

A building's front lies along x from 0 to its width at y = 0 and faces -y (the street); it reaches back to y = depth.
Metres.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import BRICKS, DOORS, PLASTERS, ROOFS, SHOPS, index
from perception.simulation.things.shapes import boxes, quads


@dataclass(frozen=True)
class Building:
    """What a building looks like.

    storeys: of `storey` metres each. roof: "gable" or "flat". shop: at street level. lit: share of windows with light.
    detailed: windows, doors and cornices are geometry; else the facade's texture shows them.
    """

    width: float
    depth: float
    storeys: int
    storey: float
    wall: str
    roof: str
    roof_material: str
    shop: bool
    balconies: bool
    detailed: bool
    lit: float
    seed: int


def random_building(rng: np.random.Generator, style: str, width: float, detailed: bool, night: bool) -> Building:
    """A building of a street of that style: "urban" blocks with shops, or "residential" houses."""
    urban = style == "urban"
    wall = f"plaster_{rng.integers(len(PLASTERS))}" if rng.random() < 0.65 else f"brick_{rng.integers(len(BRICKS))}"
    if urban and rng.random() < 0.2:
        wall = str(rng.choice(["concrete", "sandstone"]))
    if not detailed:
        wall = f"facade_{rng.integers(len(PLASTERS))}"
    flat = rng.random() < (0.45 if urban else 0.12)
    return Building(
        width=width,
        depth=float(rng.uniform(9.0, 13.0)),
        storeys=int(rng.integers(3, 6)) if urban else int(rng.integers(1, 4)),
        storey=float(rng.uniform(2.8, 3.6) if urban else rng.uniform(2.6, 3.0)),
        wall=wall,
        roof="flat" if flat else "gable",
        roof_material=f"roof_{rng.integers(len(ROOFS))}",
        shop=bool(urban and rng.random() < 0.5),
        balconies=bool(rng.random() < 0.25),
        detailed=detailed,
        lit=float(rng.uniform(0.1, 0.5)) if night else 0.03,
        seed=int(rng.integers(2**31)),
    )


def build(plan: Building) -> Mesh:
    """The mesh of a building; its walls reach 1 m into the ground, for slopes."""
    rng = np.random.default_rng(plan.seed)
    height = plan.storeys * plan.storey + 0.3
    parts = [_walls(plan, height), _roof(plan, height)]
    if plan.detailed:
        parts += [_front(plan, rng), _end_windows(plan, rng)]
    return merge(parts)


def _walls(plan: Building, height: float) -> Mesh:
    w, d, wall = plan.width, plan.depth, index(plan.wall)
    plinth = boxes([[w + 0.06, d + 0.06, 1.4]], [[w / 2, d / 2, -0.25]], index("concrete"))
    return merge([boxes([[w, d, height + 1.0]], [[w / 2, d / 2, height / 2 - 0.5]], wall), plinth])


def _roof(plan: Building, height: float) -> Mesh:
    w, d, material = plan.width, plan.depth, index(plan.roof_material)
    if plan.roof == "flat":
        rim = boxes([[w + 0.3, d + 0.3, 0.45]], [[w / 2, d / 2, height + 0.1]], index("concrete"))
        box = boxes([[2.5, 2.5, 1.6]], [[0.4 * w, d / 2, height + 0.9]], index("concrete"))
        return merge([rim, box])
    over, ridge = 0.5, height + 0.36 * d
    eaves = height - 0.18
    left, right = -0.3, w + 0.3
    slopes = quads(
        [
            [[left, -over, eaves], [right, -over, eaves], [right, d / 2, ridge], [left, d / 2, ridge]],
            [[right, d + over, eaves], [left, d + over, eaves], [left, d / 2, ridge], [right, d / 2, ridge]],
        ],
        material,
    )
    gables = quads(
        [[[x, 0, height], [x, d, height], [x, d / 2, ridge - 0.1], [x, d / 2, ridge - 0.1]] for x in (0.0, w)],
        index(plan.wall),
    )
    edge = boxes([[right - left, 0.14, 0.16]], [[w / 2, -over, eaves]], index("frame"))
    chimney = boxes([[0.7, 0.6, 1.6]], [[0.3 * w, d / 2 + 0.8, ridge]], index("brick_0"))
    return merge([slopes, gables, edge, chimney])


def _front(plan: Building, rng: np.random.Generator) -> Mesh:
    columns = max(2, int(plan.width / rng.uniform(2.3, 3.2)))
    pitch = plan.width / columns
    x = ((np.arange(columns) + 0.5) * pitch).astype(np.float64)
    wide = min(rng.uniform(0.9, 1.5), 0.66 * pitch)
    tall = rng.uniform(1.25, 0.62 * plan.storey)
    door = int(rng.integers(columns))
    parts = []
    first = 0
    if plan.shop:
        parts.append(_shop(plan, x, pitch, door, rng))
        first = 1
    floors = np.arange(first, plan.storeys)
    at = np.array([[c, f * plan.storey + 1.0] for f in floors for c in x if not (f == 0 and c == x[door])])
    if len(at):
        parts.append(_windows(at, wide, tall, plan.lit, rng))
    if not plan.shop:
        parts.append(_door(x[door], rng))
    if plan.balconies and plan.storeys > 1:
        column = x[rng.integers(columns)]
        levels = np.arange(1, plan.storeys) * plan.storey + 0.35
        slab = [[column, -0.6, z] for z in levels]
        rail = [[column, -1.17, z + 0.55] for z in levels]
        parts.append(boxes([[pitch * 0.95, 1.2, 0.16]] * len(slab), slab, index("concrete")))
        parts.append(boxes([[pitch * 0.95, 0.05, 0.95]] * len(rail), rail, index("dark_steel")))
    if plan.storeys > 2:
        lines = [[plan.width / 2, -0.04, f * plan.storey + 0.28] for f in range(1, plan.storeys)]
        parts.append(boxes([[plan.width, 0.1, 0.16]] * len(lines), lines, index("frame")))
    return merge(parts)


def _windows(at: NDArray[np.float64], wide: float, tall: float, lit: float, rng: np.random.Generator) -> Mesh:
    """Windows on the front. at: (N, 2) x of the middle, z of the sill."""
    count = len(at)
    x, z = at[:, 0], at[:, 1]
    glow = rng.random(count) < lit
    # a little curtain or blind makes one window differ from the next
    blind = np.where(rng.random(count) < 0.35, rng.uniform(0.2, 1.0, count), 0.05) * tall
    pane = quads(
        _plates(x - wide / 2, x + wide / 2, z, z + tall, -0.01), np.where(glow, index("window_lit"), index("window"))
    )
    blinds = quads(_plates(x - wide / 2, x + wide / 2, z + tall - blind, z + tall, -0.018), index("shutter"))
    y = np.full(count, -0.03)
    middle, jamb = z + tall / 2, [0.09, 0.08, tall + 0.16]
    sides: list[tuple[list[float], NDArray[np.float64], NDArray[np.float64]]] = [
        (jamb, x - wide / 2, middle),
        (jamb, x + wide / 2, middle),
        ([wide, 0.08, 0.09], x, z + tall + 0.03),
        ([0.05, 0.05, tall], x, middle),
        ([wide + 0.24, 0.2, 0.08], x, z - 0.04),
    ]
    frames = [boxes(np.tile(size, (count, 1)), np.column_stack([cx, y, cz]), index("frame")) for size, cx, cz in sides]
    return merge([pane, blinds, *frames])


def _end_windows(plan: Building, rng: np.random.Generator) -> Mesh:
    """Framed windows in both side walls, seen where houses stand apart."""
    y = np.linspace(0.25, 0.75, 2) * plan.depth
    spots = [(side, s, f * plan.storey + 1.1) for side in (-1, 1) for s in y for f in range(plan.storeys)]

    def plates(grow: float, out: float) -> list[list[list[float]]]:
        x = {-1: -out, 1: plan.width + out}
        half, tall = 0.5 + grow, 1.2 + grow
        return [
            [[x[e], s + y, z + up] for y, up in ((-half, -grow), (half, -grow), (half, tall), (-half, tall))]
            for e, s, z in spots
        ]

    glow = rng.random(len(spots)) < plan.lit
    panes = quads(plates(0.0, 0.012), np.where(glow, index("window_lit"), index("window")))
    return merge([quads(plates(0.1, 0.006), index("frame")), panes])


def _door(x: float, rng: np.random.Generator) -> Mesh:
    leaf = boxes([[1.0, 0.06, 2.05]], [[x, -0.02, 1.12]], index(f"door_{rng.integers(len(DOORS))}"))
    surround = boxes(
        [[0.12, 0.12, 2.3], [0.12, 0.12, 2.3], [1.24, 0.12, 0.12], [1.5, 0.5, 0.14], [1.3, 0.08, 0.45]],
        [[x - 0.56, -0.04, 1.15], [x + 0.56, -0.04, 1.15], [x, -0.04, 2.26], [x, -0.25, 0.06], [x, -0.01, 2.5]],
        [index(n) for n in ("frame", "frame", "frame", "concrete", "window")],
    )
    return merge([leaf, surround])


def _shop(plan: Building, x: NDArray[np.float64], pitch: float, door: int, rng: np.random.Generator) -> Mesh:
    top = plan.storey - 0.55
    wide = 0.86 * pitch
    low = np.where(np.arange(len(x)) == door, 0.1, 0.55)
    glass = quads(_plates(x - wide / 2, x + wide / 2, low, np.full(len(x), top), -0.012), index("shop_window"))
    posts = boxes(
        np.tile([0.14 * pitch, 0.12, top + 0.1], (len(x) + 1, 1)),
        np.column_stack([np.arange(len(x) + 1) * pitch, np.full(len(x) + 1, -0.03), np.full(len(x) + 1, top / 2)]),
        index("dark_steel"),
    )
    posters = rng.random(len(x)) < 0.4
    spot, size = x[posters] + rng.uniform(-0.25, 0.25, posters.sum()) * pitch, rng.uniform(0.2, 0.45, posters.sum())
    level = rng.uniform(0.8, 1.2, posters.sum())
    colours = np.array([index(f"shop_{i}") for i in range(len(SHOPS))])[rng.integers(len(SHOPS), size=posters.sum())]
    bills = quads(_plates(spot - size, spot + size, level, level + 2.2 * size, -0.02), colours)
    transom = boxes([[plan.width, 0.1, 0.09]], [[plan.width / 2, -0.03, 0.74 * top]], index("dark_steel"))
    colour = index(f"shop_{rng.integers(len(SHOPS))}")
    sign = boxes([[0.96 * plan.width, 0.18, 0.5]], [[plan.width / 2, -0.08, top + 0.3]], colour)
    if rng.random() < 0.4:
        a, b = 0.1 * plan.width, 0.9 * plan.width
        awning = [[a, -0.05, top], [b, -0.05, top], [b, -1.3, top - 0.5], [a, -1.3, top - 0.5]]
        return merge([glass, posts, bills, transom, sign, quads([awning], index("awning"))])
    return merge([glass, posts, bills, transom, sign])


def _plates(
    x0: NDArray[np.float64], x1: NDArray[np.float64], z0: NDArray[np.float64], z1: NDArray[np.float64], y: float
) -> NDArray[np.float64]:
    """(N, 4, 3) upright rectangles at that y."""
    corners = [np.column_stack([a, np.full(len(a), y), b]) for a, b in ((x0, z0), (x1, z0), (x1, z1), (x0, z1))]
    return np.stack(corners, axis=1)


def garden_wall(length: float, height: float, material: str) -> Mesh:
    """A wall along x from 0 to `length`, centred on y = 0, with a coping."""
    size = [[length, 0.25, height], [length + 0.05, 0.33, 0.08]]
    return boxes(
        size, [[length / 2, 0, height / 2], [length / 2, 0, height + 0.04]], [index(material), index("concrete")]
    )


def fence(length: float, height: float, material: str) -> Mesh:
    """A fence of posts, rails and boards along x from 0 to `length`, centred on y = 0."""
    boards = np.arange(0.06, length, 0.16 if material == "wood" else 0.14)
    width = 0.10 if material == "wood" else 0.025
    upright = boxes(
        np.tile([width, 0.025, height - 0.1], (len(boards), 1)),
        np.column_stack([boards, 0 * boards, np.full(len(boards), height / 2 + 0.05)]),
        index(material),
    )
    rails = boxes(
        [[length, 0.05, 0.08]] * 2, [[length / 2, 0.03, 0.3], [length / 2, 0.03, height - 0.2]], index(material)
    )
    return merge([upright, rails])
