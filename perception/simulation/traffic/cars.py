# SPDX-License-Identifier: Apache-2.0
"""Cars and vans: bodies lofted from a side profile, with glass, wheels, lights and number plates.

Every mesh stands on z = 0 with its middle at the origin, its nose towards +x; lengths in metres.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import boxes, disc, loft, mirrored, quads

# The kinds of stretch between two stations of a profile: what its upper half is made of.
BODY, BONNET, SCREEN, WINDOW = range(4)

Station = tuple[float, float, int]


@dataclass(frozen=True)
class Body:
    """The shape of a car. profile: stations (x, height of the top, kind of the stretch ahead), tail to nose.

    belt: height of the lower edge of the windows. roof: half-width of the roof ÷ half-width of the body.
    axles: x of each axle. wheel: radius. floor: ground clearance. light_height: of the headlights.
    """

    length: float
    width: float
    belt: float
    profile: tuple[Station, ...]
    axles: tuple[float, ...]
    wheel: float = 0.31
    roof: float = 0.74
    floor: float = 0.19
    light_height: float = 0.68


BODIES: dict[str, Body] = {
    "hatchback": Body(4.0, 1.72, 0.92, (
        (-2.00, 0.62, BODY), (-1.95, 0.96, SCREEN), (-1.70, 1.36, BODY), (-1.55, 1.42, BODY), (-1.25, 1.45, WINDOW),
        (-0.42, 1.48, BODY), (-0.32, 1.48, WINDOW), (0.28, 1.43, BODY), (0.36, 1.41, SCREEN), (1.05, 0.97, BONNET),
        (1.50, 0.88, BONNET), (1.82, 0.76, BONNET), (1.95, 0.62, BODY), (2.00, 0.45, BODY)), (-1.22, 1.25)),
    "saloon": Body(4.6, 1.79, 0.92, (
        (-2.30, 0.62, BODY), (-2.26, 0.96, BODY), (-1.72, 1.04, SCREEN), (-1.12, 1.37, BODY), (-0.98, 1.40, WINDOW),
        (-0.30, 1.44, BODY), (-0.20, 1.44, WINDOW), (0.42, 1.40, BODY), (0.50, 1.38, SCREEN), (1.22, 0.97, BONNET),
        (1.75, 0.88, BONNET), (2.12, 0.75, BONNET), (2.26, 0.60, BODY), (2.30, 0.44, BODY)), (-1.35, 1.42)),
    "estate": Body(4.65, 1.80, 0.93, (
        (-2.32, 0.62, BODY), (-2.28, 0.98, SCREEN), (-2.00, 1.40, BODY), (-1.90, 1.43, WINDOW), (-1.22, 1.46, BODY),
        (-1.12, 1.46, WINDOW), (-0.25, 1.47, BODY), (-0.15, 1.47, WINDOW), (0.45, 1.42, BODY), (0.53, 1.40, SCREEN),
        (1.25, 0.98, BONNET), (1.78, 0.88, BONNET), (2.15, 0.75, BONNET), (2.28, 0.60, BODY), (2.32, 0.44, BODY)),
        (-1.35, 1.44)),
    "suv": Body(4.5, 1.86, 1.08, (
        (-2.25, 0.70, BODY), (-2.20, 1.12, SCREEN), (-1.95, 1.60, BODY), (-1.78, 1.65, WINDOW), (-1.20, 1.68, BODY),
        (-1.10, 1.68, WINDOW), (-0.25, 1.69, BODY), (-0.15, 1.69, WINDOW), (0.48, 1.63, BODY), (0.56, 1.60, SCREEN),
        (1.18, 1.14, BONNET), (1.75, 1.06, BONNET), (2.08, 0.94, BONNET), (2.20, 0.75, BODY), (2.25, 0.50, BODY)),
        (-1.32, 1.38), 0.36, 0.78, 0.24, 0.82),
    "mpv": Body(4.35, 1.80, 1.00, (
        (-2.17, 0.65, BODY), (-2.13, 1.04, SCREEN), (-1.95, 1.52, BODY), (-1.85, 1.57, WINDOW), (-1.15, 1.62, BODY),
        (-1.05, 1.62, WINDOW), (-0.10, 1.63, BODY), (0.0, 1.63, WINDOW), (0.70, 1.54, BODY), (0.78, 1.51, SCREEN),
        (1.50, 1.03, BONNET), (1.85, 0.90, BONNET), (2.08, 0.74, BONNET), (2.17, 0.48, BODY)),
        (-1.32, 1.38), 0.32, 0.78),
    "city": Body(3.5, 1.62, 0.93, (
        (-1.75, 0.62, BODY), (-1.71, 0.97, SCREEN), (-1.52, 1.40, BODY), (-1.38, 1.46, WINDOW), (-0.45, 1.50, BODY),
        (-0.35, 1.50, WINDOW), (0.38, 1.45, BODY), (0.46, 1.42, SCREEN), (1.08, 0.98, BONNET), (1.45, 0.86, BONNET),
        (1.67, 0.70, BODY), (1.75, 0.45, BODY)), (-1.12, 1.15), 0.28, 0.76),
    "minibus": Body(4.85, 1.90, 1.12, (
        (-2.42, 0.70, BODY), (-2.40, 1.15, SCREEN), (-2.25, 1.80, BODY), (-2.12, 1.90, WINDOW), (-1.20, 1.94, BODY),
        (-1.08, 1.94, WINDOW), (0.05, 1.94, BODY), (0.17, 1.94, WINDOW), (0.95, 1.88, BODY), (1.03, 1.85, SCREEN),
        (1.70, 1.17, BONNET), (2.15, 0.98, BONNET), (2.36, 0.80, BODY), (2.42, 0.50, BODY)), (-1.50, 1.52), 0.33, 0.86,
        0.22, 0.78),
    "panel_van": Body(5.5, 2.00, 1.25, (
        (-2.75, 0.70, BODY), (-2.73, 2.30, BODY), (-2.55, 2.42, BODY), (-0.2, 2.44, BODY), (0.55, 2.42, BODY),
        (0.65, 2.40, WINDOW), (1.15, 2.25, BODY), (1.23, 2.20, SCREEN), (2.02, 1.30, BONNET), (2.45, 1.10, BONNET),
        (2.68, 0.85, BODY), (2.75, 0.50, BODY)), (-1.70, 1.80), 0.35, 0.86, 0.25, 0.85),
    "pickup": Body(5.3, 1.86, 1.08, (
        (-2.65, 0.70, BODY), (-2.62, 1.10, BODY), (-0.75, 1.12, SCREEN), (-0.62, 1.66, BODY), (-0.52, 1.69, WINDOW),
        (-0.02, 1.72, BODY), (0.08, 1.72, WINDOW), (0.60, 1.66, BODY), (0.68, 1.63, SCREEN), (1.30, 1.16, BONNET),
        (2.05, 1.08, BONNET), (2.45, 0.96, BONNET), (2.60, 0.75, BODY), (2.65, 0.52, BODY)), (-1.65, 1.58), 0.38, 0.78,
        0.28, 0.84),
}  # fmt: skip

_PAINT = index("paint_silver")
_BONNET = index("bonnet_silver")


@lru_cache(maxsize=16)
def car(name: str) -> Mesh:
    """A silver car or van; name: a key of BODIES."""
    body = BODIES[name]
    half = body.width / 2
    parts = [skin(body), *(wheel_pair(x, half, body.wheel, body.floor) for x in body.axles), _mirrors(body)]
    parts += [_front(body), _rear(body)]
    return merge(parts)


def skin(body: Body) -> Mesh:
    """The painted and glazed shell of a body."""
    stations = np.array([s[:2] for s in body.profile])
    kinds = [s[2] for s in body.profile]
    half, end = body.width / 2, body.length / 2
    rings = []
    for x, top in stations:
        # in plan the body narrows towards its ends; in section the glasshouse leans in
        plan = half * (1.0 - 0.10 * (abs(x) / end) ** 5)
        belt = min(body.belt, top - 0.05)
        cabin = np.clip((top - belt - 0.05) / 0.3, 0.0, 1.0)
        roof = plan * (0.90 + (body.roof - 0.90) * cabin)
        floor = body.floor + 0.10 * (abs(x) / end) ** 6
        sill, middle = floor + 0.10, 0.5 * (floor + belt) + 0.08
        side = [
            (0.86 * plan, floor), (0.96 * plan, sill), (plan, min(middle, belt - 0.02)), (0.985 * plan, belt - 0.015),
            (0.94 * plan, belt + 0.02), (roof, top - 0.035), (0.6 * roof, top),
        ]  # fmt: skip
        ring = [(x, -y, z) for y, z in side] + [(x, y, z) for y, z in reversed(side)]
        rings.append(ring)
    return loft(rings, _skin_materials(kinds[:-1]), caps=_PAINT)


def _skin_materials(kinds: list[int]) -> NDArray[np.uint16]:
    """(stations - 1, 14) material of each face; a ring runs from the right sill over the roof to the left sill."""
    trim, glass = index("trim"), index("car_glass")
    table = np.full((len(kinds), 14), _PAINT, np.uint16)
    table[:, [0, 12, 13]] = trim
    for row, kind in enumerate(kinds):
        if kind == WINDOW:
            table[row, [4, 8]] = glass
        elif kind == SCREEN:
            table[row, 5:8] = glass
        elif kind == BONNET:
            table[row, 3:10] = _BONNET
    return table


@lru_cache(maxsize=64)
def wheel_pair(x: float, half_width: float, radius: float, floor: float, tyre_width: float = 0.2) -> Mesh:
    """Both wheels of an axle at `x`, and their dark arches on the body's sides."""
    angle = np.linspace(-0.5 * np.pi, 1.5 * np.pi, 14, endpoint=False)  # starts where it touches the road
    outer = half_width + 0.025

    def circle(share: float, y: float, at: NDArray[np.float64] = angle) -> NDArray[np.float64]:
        """Points on a circle about the axle, its radius a share of the wheel's."""
        return np.stack([x + share * radius * np.cos(at), 0 * at + y, radius + share * radius * np.sin(at)], axis=-1)

    section = [(1.0, outer - tyre_width), (1.0, outer - 0.02), (0.93, outer), (0.66, outer - 0.02)]
    tyre = loft([circle(share, y) for share, y in section], index("tyre"))
    rim = loft([circle(0.66, outer - 0.02), circle(0.54, outer - 0.02)], index("rim"))
    hollow = loft([circle(0.62, outer - 0.03), circle(0.01, outer - 0.03)], index("arch"))
    hub = loft([circle(0.2, outer - 0.012)[::2], circle(0.01, outer - 0.012)[::2]], index("rim"))
    spoke = np.arange(5) * 2 * np.pi / 5
    ends = [(0.15, spoke - 0.5), (0.6, spoke - 0.1), (0.6, spoke + 0.1), (0.15, spoke + 0.5)]
    spokes = quads(np.stack([circle(share, outer - 0.018, at) for share, at in ends], axis=1), index("rim"))
    arch_ring = circle(1.16, half_width + 0.004)
    arch_ring[:, 2] = np.maximum(arch_ring[:, 2], floor)
    arch = loft([arch_ring, circle(0.95, half_width + 0.004)], index("arch"))
    left = merge([tyre, rim, hollow, hub, spokes, arch])
    return merge([left, mirrored(left)])


def _mirrors(body: Body) -> Mesh:
    x = next(
        x for (x, _, kind), before in zip(body.profile[1:], body.profile, strict=False) if before[2] == SCREEN and x > 0
    )
    y = body.width / 2 + 0.07
    z = body.belt + 0.08
    left = boxes([[0.10, 0.20, 0.13]], [[x - 0.28, y, z]], _PAINT)
    return merge([left, mirrored(left)])


def _front(body: Body) -> Mesh:
    end, half, z = body.length / 2, body.width / 2, body.light_height
    lamp = boxes([[0.16, 0.34, 0.13]], [[end - 0.115, 0.72 * half, z]], index("headlight"))
    wide = 0.5 * half
    middle = boxes(
        [[0.10, 2 * wide, 0.13], [0.10, 1.5 * half, 0.12], [0.03, 0.52, 0.11]],
        [[end - 0.06, 0, z - 0.03], [end - 0.035, 0, body.floor + 0.14], [end + 0.005, 0, body.floor + 0.29]],
        [index("grille_warm"), index("trim"), index("plate")],
    )
    return merge([lamp, mirrored(lamp), middle])


def _rear(body: Body) -> Mesh:
    end, half, z = body.length / 2, body.width / 2, body.light_height
    tall = 0.34 if body.profile[1][1] > 1.05 or body.profile[1][2] == SCREEN else 0.17
    lamp = boxes(
        [[0.14, 0.20, tall], [0.12, 0.17, 0.05]],
        [[-end + 0.05, 0.78 * half, z + 0.12], [-end + 0.04, 0.78 * half, z - 0.04]],
        [index("taillight"), index("indicator")],
    )
    middle = boxes(
        [[0.03, 0.52, 0.11], [0.12, 1.72 * half, 0.20], [0.10, 0.07, 0.05]],
        [[-end + 0.0, 0, z + 0.04], [-end + 0.05, 0, body.floor + 0.13], [-end + 0.0, 0.5 * half, body.floor + 0.02]],
        [index("plate"), index("trim"), index("exhaust")],
    )
    badge = disc((-end + 0.02, 0.0, z + 0.18), (-1, 0, 0), 0.05, index("rim"), 8)
    return merge([lamp, mirrored(lamp), middle, badge])
