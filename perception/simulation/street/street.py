# SPDX-License-Identifier: Apache-2.0
"""The ground of a street as meshes: carriageway with its crown, kerbs, pavements, verges, side streets, open land."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Mesh, merge
from perception.simulation.street.plan import BIKE_WIDTH, CROWN, LEFT, PARKING_WIDTH, RIGHT, SIDES, Junction, StreetPlan
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import loft, quads

KERB_WIDTH = 0.14
SIDE_STREET = 70.0
"""How far side streets lead away, metres."""


def ground(plan: StreetPlan) -> Mesh:
    """Everything that one can stand on."""
    parts = [_carriageway(plan), _far_land(plan)]
    for side in SIDES:
        parts += [_roadside(plan, side, a, b) for a, b in plan.closed(side)]
        parts += [_side_street(plan, junction, side) for junction in plan.junctions if side in junction.sides]
    return merge(parts)


def strip(
    plan: StreetPlan, s: tuple[float, float], section: Sequence[tuple[float, float]], materials: Sequence[str]
) -> Mesh:
    """A cross-section drawn along the street. section: (d, z) points; materials: one for each stretch between them."""
    count = max(2, int(np.ceil((s[1] - s[0]) / 2.0)) + 1)
    along = np.linspace(s[0], s[1], count)[:, None]
    d, z = np.array(section).T
    faces = np.array([index(m) for m in materials], np.uint16)
    return loft(plan.line.points(along, d, z), np.broadcast_to(faces, (count - 1, len(faces))), closed=False)


def _carriageway(plan: StreetPlan) -> Mesh:
    borders: list[tuple[float, str]] = []
    for side in (RIGHT, LEFT):
        beside, d = plan.sides[side], plan.lane_edge(side)
        bands = [(d, "asphalt")]
        if beside.bike:
            d += BIKE_WIDTH
            bands.append((d, plan.bike_material))
        if beside.parking:
            d += PARKING_WIDTH
            bands.append((d, "asphalt_parking"))
        bands.append((plan.edge(side), "asphalt"))
        borders += [(side * b, m) for b, m in bands]
    right = [(d, m) for d, m in borders if d < 0][::-1]
    left = [(d, m) for d, m in borders if d > 0]
    fine = np.linspace(-plan.lane_edge(RIGHT), plan.lane_edge(LEFT), 9)
    d_all = [d for d, _ in right[:-1]] + list(fine) + [d for d, _ in left[1:]]
    materials = [m for _, m in right[:-1]] + ["asphalt"] * 8 + [m for _, m in left[1:]]
    # heights come from the same crown everywhere, so that strips and markings meet
    section = [(d, plan.height(0.0, d)) for d in d_all]
    return strip(plan, (plan.line.start, plan.line.end), section, materials)


def _roadside(plan: StreetPlan, side: int, start: float, end: float) -> Mesh:
    beside, d, z = plan.sides[side], plan.edge(side), plan.step - CROWN
    section = [(d, -CROWN)]
    materials: list[str] = []
    kerbed = plan.step > 0.05
    section.append((d + (0.01 if kerbed else 0.4), z))
    materials.append("kerb" if kerbed else "dirt")
    if kerbed:
        section.append((d + KERB_WIDTH, z))
        materials.append("kerb")
    for width, material in ((beside.verge, "grass"), (beside.pavement, beside.pavement_material)):
        if width > 0:
            section.append((section[-1][0] + width, z + 0.01))
            materials.append(material)
    section.append((plan.front(side), z + 0.02))
    materials.append("grass" if plan.style != "urban" else beside.pavement_material)
    section.append((plan.front(side) + 90.0, z - 0.1))
    materials.append(plan.terrain)
    return strip(plan, (start, end), [(side * a, b) for a, b in section], materials)


def _side_street(plan: StreetPlan, junction: Junction, side: int) -> Mesh:
    edge, j = plan.edge(side), junction
    wide = j.half + j.radius
    road = [(side * d, -CROWN) for d in (edge, edge + SIDE_STREET)]
    parts = [strip(plan, (j.s - wide, j.s + wide), road, ["asphalt"])]
    top, far = plan.step - CROWN, plan.front(side) + 90.0
    pavement = plan.sides[side].pavement_material if plan.step > 0.05 else "grass"
    for direction in (-1, 1):
        near, outer = j.s + direction * j.half, j.s + direction * wide
        beyond = [(side * d, top) for d in (edge + j.radius, far)]
        parts.append(strip(plan, (min(near, outer), max(near, outer)), beyond, [pavement]))
        parts.append(_corner(plan, outer, side, direction, junction, pavement))
        wall = plan.line.points(near, side * np.array([edge + j.radius, far])[:, None], np.array([-CROWN, top]))
        parts.append(loft(wall, index("kerb"), closed=False))
    return merge(parts)


def _corner(plan: StreetPlan, outer: float, side: int, direction: int, junction: Junction, material: str) -> Mesh:
    """The rounded corner of a pavement: a fan about the arc's centre, and its kerb."""
    angle = np.linspace(0.0, np.pi / 2, 9)
    radius, top = junction.radius, plan.step - CROWN
    centre_d = plan.edge(side) + radius
    kerb_in = max(radius - KERB_WIDTH, 0.1)

    def arc(r: float, z: float) -> NDArray[np.float64]:
        return plan.line.points(outer - direction * r * np.sin(angle), side * (centre_d - r * np.cos(angle)), z)

    rings = [arc(radius, -CROWN), arc(radius - 0.01, top), arc(kerb_in, top), arc(0.01, top)]
    kerb = index("kerb") if plan.step > 0.05 else index("dirt")
    faces = np.repeat([[kerb], [kerb], [index(material)]], len(angle) - 1, axis=1)
    return loft(rings, faces, closed=False)


def _far_land(plan: StreetPlan) -> Mesh:
    """A wide plain a little below everything, so that the land reaches the horizon."""
    low, far = float(plan.line.z.min()) - 0.6, 1500.0
    plain = quads([[[-far, -far, low], [far, -far, low], [far, far, low], [-far, far, low]]], index("field"))
    ends = [
        strip(plan, span, [(-150.0, -0.3), (150.0, -0.3)], [plan.terrain])
        for span in ((plan.line.start - 60.0, plan.line.start), (plan.line.end, plan.line.end + 60.0))
    ]
    return merge([plain, *ends])
