# SPDX-License-Identifier: Apache-2.0
"""Box trucks, semi-trailers and buses, out of the same parts as the cars. Same conventions as `cars`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import boxes, loft, mirrored, tubes
from perception.simulation.traffic.cars import wheel_pair

_PAINT = index("paint_silver")
_BONNET = index("bonnet_silver")


def truck() -> Mesh:
    """A two-axle box truck, 8.2 m."""
    cargo = boxes([[5.9, 2.45, 2.45]], [[-1.15, 0, 2.25]], index("cargo_white"))
    edges = boxes([[5.94, 2.49, 0.10]] * 2, [[-1.15, 0, 3.44], [-1.15, 0, 1.05]], index("cargo_grey"))
    wheels = [wheel_pair(-2.4, 1.18, 0.48, 0.5, 0.55), wheel_pair(2.9, 1.18, 0.48, 0.5, 0.3)]
    return merge([cargo, edges, _cab(2.0, 4.1, 2.75), _chassis(-4.0, 3.9), _tail(-4.1), *wheels])


def semi() -> Mesh:
    """A tractor with a tarpaulin trailer, 15.5 m."""
    cargo = boxes([[12.6, 2.5, 2.7]], [[-1.4, 0, 2.55]], index("tarp_blue"))
    edges = boxes([[12.64, 2.54, 0.14]] * 2, [[-1.4, 0, 3.88], [-1.4, 0, 1.22]], index("cargo_grey"))
    doors = boxes([[0.02, 1.2, 2.5]] * 2, [[-7.72, y, 2.55] for y in (-0.62, 0.62)], index("cargo_white"))
    axles = (-6.6, -5.3, -4.0, 3.4, 6.4)
    wheels = [wheel_pair(x, 1.2, 0.50, 0.5, 0.45) for x in axles]
    return merge([cargo, edges, doors, _cab(5.3, 7.6, 3.55), _chassis(-7.5, 7.4), _tail(-7.7), *wheels])


def bus() -> Mesh:
    """A city bus, 12 m."""
    half = 1.26
    x = np.array([-6.0, -5.9, -4.6, -4.5, -3.0, -2.9, -1.4, -1.3, 0.2, 0.3, 1.8, 1.9, 3.4, 3.5, 5.0, 5.15, 5.92, 6.0])
    rings = []
    for station in x:
        plan = half * (1 - 0.04 * (abs(station) / 6.0) ** 12)
        top = 3.05 if abs(station) < 5.95 else 2.9
        side = [
            (0.9 * plan, 0.32),
            (plan, 0.42),
            (plan, 1.25),
            (plan, 2.45),
            (0.97 * plan, top - 0.12),
            (0.85 * plan, top),
        ]
        rings.append([(station, -y, z) for y, z in side] + [(station, y, z) for y, z in reversed(side)])
    materials = np.full((len(x) - 1, 12), _PAINT, np.uint16)
    materials[1:-1, [2, 8]] = np.where(np.arange(len(x) - 3) % 2 == 0, index("car_glass"), index("trim"))[:, None]
    skin = loft(rings, materials, caps=_PAINT)
    ends = boxes(
        [
            [0.05, 2.2, 1.5],
            [0.05, 1.9, 0.9],
            [0.06, 1.3, 0.28],
            [0.05, 0.5, 0.11],
            [0.05, 0.5, 0.11],
            [0.05, 1.6, 0.45],
        ],
        [[6.0, 0, 1.85], [-6.0, 0, 1.95], [6.01, 0, 2.75], [6.02, 0, 0.55], [-6.02, 0, 0.8], [-6.01, 0, 0.95]],
        [index(n) for n in ("car_glass", "car_glass", "trim", "plate", "plate", "grille_warm")],
    )
    lamps = boxes(
        [[0.05, 0.35, 0.2], [0.05, 0.18, 0.6]], [[6.01, 0.95, 0.75], [-6.01, 1.05, 1.0]],
        [index("headlight"), index("taillight")],
    )  # fmt: skip
    mirror = boxes([[0.12, 0.22, 0.4]], [[6.15, 1.42, 2.2]], index("trim"))
    wheels = [wheel_pair(a, half, 0.48, 0.33, 0.35) for a in (-3.6, 3.3)]
    return merge([skin, ends, lamps, mirrored(lamps), mirror, mirrored(mirror), *wheels])


def _cab(back: float, front: float, top: float) -> Mesh:
    """A forward-control cab between x = back and front."""
    half = 1.2
    x = [back, back + 0.5, back + 0.55, front - 0.55, front - 0.15, front]
    tops = [top, top, top, top, top - 0.12, top - 0.45]
    rings = []
    for station, z in zip(x, tops, strict=True):
        plan = half * (1.0 if station < front - 0.3 else 0.97)
        side = [(plan, 0.45), (plan, 0.9), (plan, 1.65), (0.97 * plan, 2.45), (0.92 * plan, z - 0.06), (0.8 * plan, z)]
        rings.append([(station, -y, h) for y, h in side] + [(station, y, h) for y, h in reversed(side)])
    materials = np.full((len(x) - 1, 12), _PAINT, np.uint16)
    materials[2, [2, 8]] = index("car_glass")
    skin = loft(rings, materials, caps=_PAINT)
    ends = boxes(
        [[0.06, 2.1, 0.85], [0.06, 1.7, 0.55], [0.14, 2.3, 0.3], [0.06, 0.5, 0.11]],
        [[front, 0, 2.05], [front, 0, 1.2], [front, 0, 0.62], [front + 0.06, 0, 0.62]],
        [index(n) for n in ("car_glass", "grille_warm", "trim", "plate")],
    )
    lamp = boxes(
        [[0.08, 0.35, 0.2], [0.15, 0.22, 0.55]], [[front + 0.05, 0.92, 0.75], [front - 0.1, 1.38, 2.0]],
        [index("headlight"), index("trim")],
    )  # fmt: skip
    return merge([skin, ends, lamp, mirrored(lamp)])


def _chassis(back: float, front: float) -> Mesh:
    beams = boxes([[front - back, 0.8, 0.3]], [[(front + back) / 2, 0, 0.8]], index("trim"))
    tank = tubes([[0.0, 0.95, 0.75]], [[1.2, 0.95, 0.75]], 0.28, 0.28, index("cargo_grey"), 10)
    guard = boxes([[2.4, 0.05, 0.35]], [[-0.4, -1.15, 0.75]], index("cargo_grey"))
    pipe = tubes([[1.4, -0.9, 0.6]], [[1.8, -0.9, 0.6]], 0.08, 0.08, index("exhaust"), 8)
    return merge([beams, tank, guard, mirrored(guard), pipe])


def _tail(x: float) -> Mesh:
    bar = boxes(
        [[0.1, 2.3, 0.16], [0.04, 0.5, 0.11]], [[x, 0, 0.6], [x - 0.06, 0, 0.78]], [index("trim"), index("plate")]
    )
    lamp = boxes(
        [[0.08, 0.42, 0.14], [0.03, 0.5, 0.12]], [[x - 0.05, 0.95, 0.85], [x - 0.06, 0.9, 0.6]],
        [index("taillight"), index("reflector")],
    )  # fmt: skip
    return merge([bar, lamp, mirrored(lamp)])


BUILDERS: dict[str, Callable[[], Mesh]] = {"truck": truck, "semi": semi, "bus": bus}
"""Bodies that are not cars."""
