# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perception.classes import ROAD
from perception.simulation.scene import Mesh
from perception.simulation.street.centreline import Centreline
from perception.simulation.street.markings import markings, patches
from perception.simulation.street.plan import CROWN, LEFT, RIGHT, SIDES, Junction, Side, StreetPlan, random_plan
from perception.simulation.things.materials import MATERIALS, index

SIDE = Side(False, False, 0.0, 2.0, "pavement_slabs", 1.0)
STRAIGHT = StreetPlan(
    style="urban",
    line=Centreline(-60.0, 200.0, 0.0, 0.0, np.random.default_rng(0)),
    lane_width=3.0,
    lanes={RIGHT: 1, LEFT: 1},
    sides={RIGHT: SIDE, LEFT: SIDE},
    step=0.12,
    marked=True,
    terrain="gravel",
    bike_material="asphalt",
    junctions=(),
    zebras=(),
    trees=0.0,
    speed=10.0,
)
"""A straight, level street: the world's x and y are its s and d."""


def painted(plan: StreetPlan, seed: int = 0, material: str = "marking") -> np.ndarray:
    """(T, 3, 3) the triangles of that material."""
    mesh: Mesh = markings(plan, np.random.default_rng(seed))
    return mesh.vertices[mesh.triangles[mesh.materials == index(material)]]


def test_a_patch_follows_the_crown_of_the_road() -> None:
    mesh = patches(STRAIGHT, [[0, 2, 2, 0]], [[0, 0, 3.3, 3.3]], "marking", above=0.01)
    heights = {round(float(y), 3): round(float(z), 4) for _, y, z in mesh.vertices}
    assert STRAIGHT.edge(LEFT) == pytest.approx(3.3)
    assert heights == {0.0: 0.01, 3.3: round(0.01 - CROWN, 4)}


@pytest.mark.parametrize("seed", range(12))
def test_everything_is_road_and_on_the_carriageway(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, 10.0)
    mesh = markings(plan, rng)
    assert {MATERIALS[m].class_id for m in mesh.materials} == {ROAD}
    straight = replace(plan, line=Centreline(plan.line.start, plan.line.end, 0.0, 0.0, rng))
    flat = markings(straight, np.random.default_rng(seed)).vertices
    assert flat[:, 1].max() < straight.edge(LEFT) + 0.6  # give-way blocks lie on the edge
    assert flat[:, 1].min() > -straight.edge(RIGHT) - 0.6
    assert flat[:, 2].max() <= 0.009
    assert flat[:, 2].min() >= -CROWN


def test_a_dashed_centre_line_lies_on_the_middle() -> None:
    for seed in range(9):
        paint = painted(STRAIGHT, seed)
        middle = paint[np.abs(paint[:, :, 1]).max(axis=1) < 0.3]
        assert len(middle) > 20
        assert np.abs(middle[:, :, 1].mean()) < 1e-4


def test_no_line_crosses_a_side_street_of_its_side() -> None:
    junction = Junction(50.0, 3.0, 2.0, (LEFT,))
    for seed in range(9):
        paint = painted(replace(STRAIGHT, junctions=(junction,)), seed)
        s, d = paint[..., 0].mean(axis=1), paint[..., 1].mean(axis=1)
        in_mouth = np.abs(s - 50.0) < 4.0
        assert not (in_mouth & (np.abs(d) < 0.2)).any()  # the centre line ends
        assert (in_mouth & (d > 3.0)).any()  # give-way blocks
        assert not (in_mouth & (d < -3.1)).any()


def test_a_zebra_has_bars_across_the_whole_road_and_stop_lines_before_it() -> None:
    plain, crossed = (painted(replace(STRAIGHT, marked=False, zebras=zebras)) for zebras in ((), (40.0,)))
    assert len(plain) == 0
    bars = crossed[np.abs(crossed[..., 0].mean(axis=1) - 40.0) < 1.9]
    assert bars[..., 0].min() == pytest.approx(38.2)
    assert bars[..., 0].max() == pytest.approx(41.8)
    assert bars[..., 1].min() == pytest.approx(-2.9)
    assert len(bars) == 2 * len(np.arange(-2.9, 2.4, 1.0))
    stops = crossed[np.abs(crossed[..., 0].mean(axis=1) - 40.0) > 3.0]
    where = {(bool(x > 40), bool(y > 0)) for x, y in zip(stops[..., 0].mean(1), stops[..., 1].mean(1), strict=True)}
    # Who drives towards +s keeps right, d < 0, and comes from before the crossing.
    assert where == {(False, False), (True, True)}


def test_arrows_point_along_their_lane_towards_the_junction() -> None:
    junction = Junction(60.0, 3.0, 2.0, (LEFT, RIGHT))
    plan = replace(STRAIGHT, lanes={RIGHT: 2, LEFT: 2}, junctions=(junction,))
    paint = painted(plan)
    for side in SIDES:
        for lane in range(2):
            middle = plan.lane_centre(side, lane)
            near = paint[(np.abs(paint[..., 1] - middle).max(axis=1) < 0.36)]
            assert len(near) == 4  # a shaft and a head of two triangles each
            wide = near[np.ptp(near[..., 1], axis=1) > 0.5]
            tip = near[..., 0].max() if side == RIGHT else near[..., 0].min()
            base = wide[..., 0].min() if side == RIGHT else wide[..., 0].max()
            assert abs(tip - 60.0) < abs(base - 60.0)  # the head narrows towards the junction
