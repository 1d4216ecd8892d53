# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.simulation.street.plan import RIGHT, random_plan
from perception.simulation.traffic.crowd import Walk, pedestrians
from perception.simulation.traffic.fleet import Track, drive
from perception.simulation.traffic.traffic import follow


def test_a_walk_waits_walks_and_waits() -> None:
    walk = Walk(10.0, -6.0, 0.0, 1.5, 2.0, 6.0, 0.0)
    assert walk.at(0.0) == walk.at(2.0) == (10.0, -6.0)
    assert walk.at(4.0) == pytest.approx((10.0, -3.0))
    assert walk.at(9.0) == pytest.approx((10.0, 0.0))


@pytest.mark.parametrize("seed", range(6))
def test_people_keep_out_of_the_way_of_traffic_and_of_things(seed: int) -> None:
    rng = np.random.default_rng(seed)
    plan = random_plan(rng, 10.0)
    fleet = drive(plan, rng, 10.0, None, False)
    things = [(float(s), -plan.edge(RIGHT) - 1.5) for s in np.arange(0.0, 60.0, 5.0)]
    crowd = pedestrians(plan, rng, 10.0, fleet.tracks, {1: [], -1: []}, things, False)
    assert crowd
    spots = [plan.line.points(s, d)[:2] for s, d in things]
    for t in np.arange(0.0, 10.0, 1.0):
        people = [a.pose(t)[:2, 3] for a in crowd]
        for place in people:
            for track in fleet.tracks:
                ahead = plan.line.points(track.s_at(t), track.d)[:2] - place
                assert np.hypot(*ahead) > 1.2
            assert min(np.hypot(*(place - spot)) for spot in spots) > 0.35
        assert all(np.hypot(*(a - b)) > 0.35 for i, a in enumerate(people) for b in people[:i])


def test_nights_are_lonelier() -> None:
    plan = random_plan(np.random.default_rng(1), 10.0)
    (motion,) = follow(np.array([0.0]), np.array([4.5]), np.array([8.0]), 11.0, None)
    ego = [Track(motion, RIGHT, -1.6, 4.5)]
    counts = [
        np.mean(
            [len(pedestrians(plan, np.random.default_rng(s), 10.0, ego, {1: [], -1: []}, [], night)) for s in range(8)]
        )
        for night in (False, True)
    ]
    assert counts[1] < counts[0]
