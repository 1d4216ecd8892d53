# SPDX-License-Identifier: Apache-2.0
"""Where vehicle-sized things that are no vehicles stand beside a street: what a network may take for cars."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from perception.simulation.scene import Actor, Mesh, transformed
from perception.simulation.street import buildings, yards
from perception.simulation.street.plan import CROWN, LEFT, SIDES, StreetPlan
from perception.simulation.things import containers, vegetation
from perception.simulation.things.materials import index
from perception.simulation.things.placement import Placement
from perception.simulation.things.planting import leaf_colour
from perception.simulation.things.shapes import pose, scaled

Thing = Callable[[np.random.Generator], Mesh]

CLEARANCE = 0.35
"""Metres between a thing and the middle of a person or of a lamp, a tree, a sign."""
KERB_GAP, REACH, EAVES = 0.3, 4.0, 0.6
"""The least and the largest distance from the kerb, and the least for what has a roof that sticks out, metres."""
SEGMENT = 4.0
"""Fences and the like follow the street's bends in pieces of so many metres."""


def _low_bush(rng: np.random.Generator) -> Mesh:
    bush = vegetation.bush(int(rng.integers(vegetation.VARIANTS)), leaf_colour(rng))
    return scaled(bush, rng.uniform([1.1, 0.6, 0.7], [1.8, 0.85, 1.1]))


THINGS: dict[Thing, tuple[float, float, float]] = {
    containers.skip: (2.0, 1.5, 0.6),
    containers.site_container: (2.0, 1.2, 0.6),
    containers.waste_containers: (2.0, 1.0, 0.3),
    containers.bottle_banks: (1.3, 0.8, 0.5),
    containers.wheelie_bins: (1.7, 2.2, 0.6),
    yards.stack: (1.5, 1.5, 1.5),
    yards.heap: (1.5, 2.0, 2.0),
    yards.boulders: (0.4, 0.8, 1.2),
    yards.kiosk: (1.3, 1.0, 0.8),
    yards.advertising_pillar: (1.3, 0.3, 0.0),
    yards.phone_box: (0.8, 0.3, 0.1),
    _low_bush: (1.5, 2.0, 2.0),
}
"""How often each is met on urban, residential and rural streets, by its share."""
STYLES = ("urban", "residential", "rural")


def clutter(
    plan: StreetPlan, rng: np.random.Generator, placed: Placement, actors: Sequence[Actor], duration: float
) -> None:
    """Adds to `placed` what is as large as a vehicle and none: on some streets nothing, on others a lot.

    Nothing stands where one of `actors` comes by within `duration` seconds, nor on what `placed` holds already.
    """
    if rng.random() < 0.15 and not plan.lane:
        return
    gap = float(rng.uniform(0.5, 5.0)) if plan.lane else 10.0 / float(rng.uniform(0.15, 1.0))
    site = _Site(plan, rng, placed, actors, duration)
    for side in SIDES:
        for start, end in plan.closed(side, 1.0):
            s = start + float(rng.exponential(gap))
            while s < end - 2.0:
                kind = rng.random()
                if kind < (0.5 if plan.lane else 0.35):
                    s = site.run(side, s, end)
                elif kind < (0.85 if plan.lane else 0.55) and plan.style != "urban":
                    s = site.garage(side, s, end)
                else:
                    s = site.thing(side, s, end)
                s += float(rng.exponential(gap))


class _Site:
    """The land beside a street, and what of it is taken."""

    def __init__(
        self,
        plan: StreetPlan,
        rng: np.random.Generator,
        placed: Placement,
        actors: Sequence[Actor],
        duration: float,
    ) -> None:
        self.plan, self.rng, self.placed = plan, rng, placed
        walkers = [a.pose for a in actors if a.kind in ("pedestrian", "cyclist")]
        steps = [at(t)[:2, 3] for at in walkers for t in np.arange(0.0, duration + 0.25, 0.25)]
        things = [plan.line.points(s, d)[:2] for s, d in placed.in_the_way]
        self.taken: NDArray[np.float64] = np.array([*steps, *things, *placed.feet()]).reshape(-1, 2)
        weights = np.array([shares[STYLES.index(plan.style)] for shares in THINGS.values()])
        self.shares = weights / weights.sum()

    def back(self, side: int) -> float:
        """Distance of the back of the pavement from the middle of the road."""
        beside = self.plan.sides[side]
        return self.plan.edge(side) + beside.verge + beside.pavement

    def thing(self, side: int, s: float, end: float) -> float:
        """Puts one thing behind s, if there is a place for it before `end`; returns where it ends."""
        mesh = list(THINGS)[int(self.rng.choice(len(THINGS), p=self.shares))](self.rng)
        return self._somewhere(mesh, side, s, end, self._near(side, float(np.ptp(mesh.vertices[:, 1]))), None)

    def garage(self, side: int, s: float, end: float) -> float:
        """Puts a garage between the pavement and the houses."""
        near = self.back(side) - 0.3 + float(self.rng.uniform(0.0, 0.2))
        near = max(near, self.plan.edge(side) + EAVES)
        depth = min(5.0, self.plan.front(side) + 0.3 - near)
        if depth < 2.5:
            return s
        # plants behind its front vanish inside it, or rise above its roof
        return self._somewhere(yards.garage(self.rng, depth), side, s, end, near, 0.5)

    def run(self, side: int, s: float, end: float) -> float:
        """Puts a fence, a hedge, a wall, a guard rail or a barrier along the street."""
        make, depth = self._run_kind()
        near = self._near(side, depth)
        length = float(self.rng.uniform(6.0, 36.0))
        # pieces may touch one another, so that each is taken only when all stand
        covered = [self.taken]
        while near is not None and length > 0.0 and s + SEGMENT < end:
            covered.append(self._put(make(), side, s + SEGMENT / 2, near, None))
            s, length = s + SEGMENT, length - SEGMENT
        self.taken = np.concatenate(covered)
        return s

    def _run_kind(self) -> tuple[Callable[[], Mesh], float]:
        """Makes a piece; its depth."""
        rng, kind = self.rng, self.rng.random()
        middle = pose(-SEGMENT / 2, 0.0)
        if kind < 0.3:
            height, material = float(rng.uniform(1.4, 2.4)), (yards.paint if rng.random() < 0.3 else yards.boards)(rng)
            return lambda: yards.screen(SEGMENT, height, material), 0.1
        if kind < 0.6:
            height, depth, leaves = float(rng.uniform(1.2, 2.4)), float(rng.uniform(0.8, 1.3)), leaf_colour(rng)
            return lambda: transformed(
                vegetation.hedge(SEGMENT, height, depth, leaves, int(rng.integers(1000))), middle
            ), 1.25 * depth
        if kind < 0.75:
            height, name = float(rng.uniform(0.6, 2.2)), str(rng.choice(["stone_wall", "brick_1", "plaster_0"]))
            return lambda: transformed(buildings.garden_wall(SEGMENT, height, name), middle), 0.33
        if kind < 0.9:
            double, rail = bool(rng.random() < 0.5), index(str(rng.choice(["guard_rail", "steel", "yard_rust"])))
            return lambda: yards.guard_rail(rail, double), 0.2
        height, material = float(rng.uniform(0.8, 1.1)), index(str(rng.choice(["concrete", "yard_white", "yard_red"])))
        return lambda: yards.concrete_barrier(SEGMENT - 0.1, height, material), 0.6

    def _near(self, side: int, depth: float) -> float | None:
        """Distance of a thing's front from the middle of the road: often the thing stands at the pavement's back."""
        plan = self.plan
        kerb, back = plan.edge(side) + KERB_GAP, self.back(side)
        gardens = plan.style != "rural" and plan.sides[side].setback >= 2.0
        last = min(back + 0.4 if gardens else plan.front(side) - 0.3, plan.edge(side) + REACH + depth) - depth
        if last < kerb:
            return None
        at_back = float(np.clip(back - depth, kerb, last))
        return at_back if self.rng.random() < 0.4 else float(self.rng.uniform(kerb, last))

    def _somewhere(self, mesh: Mesh, side: int, s: float, end: float, near: float | None, front: float | None) -> float:
        """Tries a few places from s on; returns where the thing ends, or s."""
        length = float(np.ptp(mesh.vertices[:, 0]))
        for at in s + length / 2 + np.arange(0.0, 9.0, 1.5):
            if near is not None and at + length / 2 < end:
                covered = self._put(mesh, side, float(at), near, front)
                if len(covered):
                    self.taken = np.concatenate([self.taken, covered])
                    return float(at) + length / 2
        return s

    def _put(self, mesh: Mesh, side: int, s: float, near: float, front: float | None) -> NDArray[np.float64]:
        """Puts a mesh around s with its front `near` from the middle of the road, unless the place is taken.

        front: how deep the place must be free; None for as deep as the mesh. Returns places (N, 2) that it covers, none
        where it was not put.
        """
        low = mesh.vertices[mesh.vertices[:, 2] < 1.9, :2]
        (x0, y0), (x1, y1) = low.min(axis=0), low.max(axis=0)
        nothing = np.zeros((0, 2))
        if any(x0 - 3.0 < z - s < x1 + 3.0 for z in self.plan.zebras):
            return nothing
        where = self.plan.line.pose(s, side * (near - y0), self.plan.step - CROWN, 0.0 if side == LEFT else np.pi)
        depth = y1 - y0 if front is None else front
        local = (self.taken - where[:2, 3]) @ where[:2, :2] - [(x0 + x1) / 2, y0 + depth / 2]
        if np.any(np.all(np.abs(local) < np.array([x1 - x0, depth]) / 2 + CLEARANCE, axis=1)):
            return nothing
        self.placed.add(mesh, where)
        grid = np.stack(np.meshgrid(np.linspace(x0, x1, 9), np.linspace(y0, y1, 5)), axis=-1).reshape(-1, 2)
        covered: NDArray[np.float64] = grid @ where[:2, :2].T + where[:2, 3]
        return covered
