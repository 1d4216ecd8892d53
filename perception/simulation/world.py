# SPDX-License-Identifier: Apache-2.0
"""A whole street from a seed: what stands, what moves, where the sensing vehicle drives."""

from __future__ import annotations

import numpy as np

from perception.simulation.scene import Scene, merge
from perception.simulation.street.markings import markings
from perception.simulation.street.plan import random_plan
from perception.simulation.street.roadside import roadside
from perception.simulation.street.roadworks import roadworks
from perception.simulation.street.street import ground
from perception.simulation.things.clutter import clutter
from perception.simulation.things.materials import CLUTTER_MATERIALS, STREET_MATERIALS, varied
from perception.simulation.things.placement import Placement
from perception.simulation.traffic import crowd, fleet
from perception.simulation.traffic.parking import park


def build_scene(seed: int, duration_s: float = 12.0, night: bool = False, street: str = "any") -> Scene:
    """A street, its traffic and its people, for a drive of that many seconds.

    The same arguments give the same scene; another seed gives another street. night: fewer people, lit windows,
    vehicles with their lights on. street: see `random_plan`. Times in the scene run from 0 to `duration_s`.
    """
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, duration_s, street=street)
    crossings = [s for s in (*plan.zebras, *(j.s - j.half - j.radius for j in plan.junctions)) if s > 12.0]
    halt_at = float(min(crossings)) if crossings and rng.random() < 0.5 else None
    moving = fleet.drive(plan, rng, duration_s, halt_at, night)
    placed = Placement()
    filled = park(plan, rng, placed)
    reach = moving.tracks[0].s_at(duration_s)
    lamps = roadside(plan, rng, placed, reach + 60.0, night)
    in_the_way = [*placed.in_the_way, *moving.in_the_way]
    people = crowd.pedestrians(plan, rng, duration_s, moving.tracks, filled, in_the_way, night)
    ego = fleet.ego_pose(plan, moving)
    # from streams of their own and last, so that they change nothing else of a street
    apart = np.random.default_rng([seed, 11])
    clutter(plan, apart, placed, people + moving.actors, duration_s)
    roadworks(plan, np.random.default_rng([seed, 12]), placed, people + moving.actors, ego, duration_s)
    below = merge([ground(plan), markings(plan, rng)])
    static = merge([below, *placed.meshes()])
    things = np.concatenate([np.zeros(len(below.triangles), np.int64), placed.numbers()])
    looks = varied(rng, STREET_MATERIALS) + varied(apart, CLUTTER_MATERIALS)
    return Scene(looks, static, moving.actors + people, ego, lamps, things)
