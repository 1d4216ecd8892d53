# SPDX-License-Identifier: Apache-2.0
"""Lamps, signs, signals, bollards, bins, benches and the like. Each stands on z = 0; "ahead" of it is +x; metres."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from perception.simulation.scene import Mesh, merge
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import boxes, disc, loft, quads, tube, tubes

LAMP_HEIGHT, LAMP_REACH = 7.6, 1.7


@lru_cache(maxsize=1)
def lamp() -> Mesh:
    """A street lamp; its arm reaches towards +y, the light at (0, LAMP_REACH, LAMP_HEIGHT)."""
    bend, tip = (0.0, 0.0, LAMP_HEIGHT - 0.6), (0.0, LAMP_REACH - 0.3, LAMP_HEIGHT + 0.05)
    pole = tubes([(0.0, 0.0, 0.0), bend], [bend, tip], [0.09, 0.05], [0.06, 0.04], index("steel"), 8)
    head = boxes(
        [[0.26, 0.75, 0.10], [0.2, 0.5, 0.03]],
        [[0, LAMP_REACH, LAMP_HEIGHT + 0.07], [0, LAMP_REACH, LAMP_HEIGHT]],
        [index("steel"), index("lamp")],
    )
    return merge([pole, head])


@lru_cache(maxsize=1)
def lantern() -> Mesh:
    """A low lamp of residential streets, 4.2 m, the light on top."""
    pole = tube((0, 0, 0), (0, 0, 3.9), 0.05, index("dark_steel"), 7)
    return merge(
        [
            pole,
            tubes([[0, 0, 3.9]], [[0, 0, 4.2]], 0.12, 0.2, index("lamp"), 8),
            disc((0, 0, 4.22), (0, 0, 1), 0.28, index("dark_steel")),
        ]
    )


@lru_cache(maxsize=8)
def sign(kind: str) -> Mesh:
    """A traffic sign whose face looks towards -x. kind: "round", "triangle", "blue", "priority", "name"."""
    pole = tube((0, 0, 0), (0, 0, 2.75), 0.035, index("steel"), 7)
    if kind == "name":
        board = boxes([[0.03, 0.9, 0.2]], [[0, 0.45, 2.6]], index("sign_white"))
        return merge([pole, board, disc((0, 0, 2.76), (0, 0, 1), 0.04, index("steel"), 6)])
    # (radius, corners, material, turn): the outer plate, then what is painted on it
    outer, inner = {
        "triangle": ((0.45, 3, "sign_red", np.pi / 2), (0.30, 3, "sign_white", np.pi / 2)),
        "round": ((0.32, 14, "sign_red", 0.0), (0.23, 14, "sign_white", 0.0)),
        "blue": ((0.32, 14, "sign_blue", 0.0), (0.12, 4, "sign_white", 0.0)),
        "priority": ((0.44, 4, "sign_white", 0.0), (0.36, 4, "sign_yellow", 0.0)),
    }[kind]
    radius, corners, _, turn = outer
    return merge([pole, _plate(-0.05, *outer), _plate(-0.06, *inner), _plate(-0.042, radius, corners, "steel", turn)])


def _plate(x: float, radius: float, corners: int, material: str, turn: float = 0.0, z: float = 2.4) -> Mesh:
    angle = turn + np.arange(corners) * 2 * np.pi / corners
    ring = np.stack([x + 0 * angle, radius * np.cos(angle), z + radius * np.sin(angle)], axis=-1)
    return loft([ring, np.tile([x, 0.0, z], (corners, 1))], index(material))


@lru_cache(maxsize=4)
def signal(red: bool) -> Mesh:
    """A traffic light that faces -x."""
    pole = tube((0, 0, 0), (0, 0, 3.4), 0.06, index("steel"), 8)
    case = boxes(
        [[0.22, 0.30, 0.90], [0.02, 0.5, 1.1]],
        [[-0.12, 0, 2.85], [0.0, 0, 2.85]],
        [index("dark_steel"), index("dark_steel")],
    )
    lights = [(3.14, "signal_red" if red else "bin"), (2.85, "bin"), (2.56, "bin" if red else "signal_green")]
    lenses = [_plate(-0.24, 0.1, 10, name, 0.0, z) for z, name in lights]
    return merge([pole, case, *lenses])


@lru_cache(maxsize=4)
def bollard(striped: bool) -> Mesh:
    """A bollard, 0.95 m."""
    rows = [
        (0.0, "dark_steel"),
        (0.5, "sign_white" if striped else "dark_steel"),
        (0.7, "post_red" if striped else "dark_steel"),
    ]
    ends = [0.5, 0.7, 0.95]
    post = tubes([[0, 0, z] for z, _ in rows], [[0, 0, z] for z in ends], 0.06, 0.06, [index(m) for _, m in rows], 8)
    return merge([post, disc((0, 0, 0.95), (0, 0, 1), 0.06, index("dark_steel"), 8)])


@lru_cache(maxsize=1)
def delineator() -> Mesh:
    """A marker post of country roads."""
    return boxes(
        [[0.06, 0.12, 1.0], [0.065, 0.125, 0.14], [0.07, 0.06, 0.12]],
        [[0, 0, 0.5], [0, 0, 0.82], [0, 0, 0.82]],
        [index("frame"), index("bin"), index("sign_white")],
    )


@lru_cache(maxsize=1)
def wheelie_bin() -> Mesh:
    """A household bin, 1.1 m."""
    body = boxes(
        [[0.56, 0.5, 0.95], [0.62, 0.56, 0.07]], [[0, 0, 0.55], [0, 0, 1.06]], [index("bin"), index("bin_lid")]
    )
    wheels = tubes([[-0.25, -0.24, 0.1]], [[-0.25, 0.24, 0.1]], 0.1, 0.1, index("bin"), 8)
    return merge([body, wheels])


@lru_cache(maxsize=1)
def cabinet() -> Mesh:
    """A grey switch cabinet."""
    return boxes(
        [[0.45, 1.1, 1.2], [0.5, 1.15, 0.06]], [[0, 0, 0.6], [0, 0, 1.22]], [index("concrete"), index("steel")]
    )


@lru_cache(maxsize=1)
def bench() -> Mesh:
    """A bench that faces +y."""
    return boxes(
        [[1.8, 0.45, 0.05], [1.8, 0.05, 0.4], [0.06, 0.45, 0.45], [0.06, 0.45, 0.45]],
        [[0, 0, 0.46], [0, -0.24, 0.75], [-0.75, 0, 0.22], [0.75, 0, 0.22]],
        [index("wood"), index("wood"), index("dark_steel"), index("dark_steel")],
    )


@lru_cache(maxsize=1)
def bus_shelter() -> Mesh:
    """A glazed shelter, 4 m along x, open towards +y."""
    posts = [[x, y, 1.25] for x in (-1.95, 1.95) for y in (-0.7, 0.6)]
    frame = boxes(
        [[0.08, 0.08, 2.5]] * 4 + [[4.2, 1.6, 0.12]],
        [*posts, [0, -0.05, 2.5]],
        [index("dark_steel")] * 4 + [index("steel")],
    )
    back = quads([[[-1.9, -0.7, 0.3], [1.9, -0.7, 0.3], [1.9, -0.7, 2.3], [-1.9, -0.7, 2.3]]], index("window"))
    poster = boxes([[0.12, 1.2, 1.8]], [[1.95, 0, 1.2]], index("shop_1"))
    return merge([frame, back, poster, bench()])


@lru_cache(maxsize=1)
def utility_pole() -> Mesh:
    """A wooden pole with a cross-arm along y, 8.5 m."""
    pole = tubes([[0, 0, 0]], [[0, 0, 8.5]], 0.14, 0.09, index("wood"), 8)
    return merge([pole, boxes([[0.12, 1.8, 0.12]], [[0, 0, 8.0]], index("wood"))])


@lru_cache(maxsize=1)
def guard_rail() -> Mesh:
    """4 m of guard rail along +x, facing +y."""
    z = np.array([0.45, 0.50, 0.56, 0.60, 0.64, 0.70, 0.75])
    y = np.array([0.0, 0.08, 0.08, 0.02, 0.08, 0.08, 0.0])
    rail = loft([np.column_stack([np.full(7, x), y, z]) for x in (0.0, 4.0)], index("guard_rail"), closed=False)
    posts = boxes([[0.08, 0.1, 0.7]] * 2, [[0.5, -0.06, 0.35], [2.5, -0.06, 0.35]], index("guard_rail"))
    return merge([rail, posts])
