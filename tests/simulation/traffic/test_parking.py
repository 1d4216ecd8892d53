# SPDX-License-Identifier: Apache-2.0
import numpy as np

from perception.classes import VEHICLE
from perception.simulation.scene import merge
from perception.simulation.street.plan import SIDES, random_plan
from perception.simulation.things.materials import MATERIALS
from perception.simulation.things.placement import Placement
from perception.simulation.traffic.parking import park


def test_parked_cars_keep_apart_and_off_side_streets_and_crossings() -> None:
    seen = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        plan = random_plan(rng, 10.0)
        filled = park(plan, rng, Placement())
        for side in SIDES:
            seen += len(filled[side])
            assert plan.sides[side].parking or not filled[side]
            for (_, end), (start, _) in zip(filled[side], filled[side][1:], strict=False):
                assert start > end
            for start, end in filled[side]:
                assert any(a <= start and end <= b for a, b in plan.closed(side))
                assert all(abs((start + end) / 2 - z) > 5.0 for z in plan.zebras)
    assert seen > 50


def test_what_is_parked_is_cold_and_a_vehicle() -> None:
    for seed in range(3):
        rng, placed = np.random.default_rng(seed), Placement()
        plan = random_plan(rng, 10.0)
        park(plan, rng, placed)
        mesh = merge(placed.meshes())
        materials = [MATERIALS[m] for m in np.unique(mesh.materials)]
        assert all(m.class_id == VEHICLE and m.warmth <= 2.0 for m in materials)


def test_bicycles_in_a_rack_are_no_things_of_their_own_and_a_single_one_is() -> None:
    lone = racked = 0
    for seed in range(6):
        rng, placed = np.random.default_rng(seed), Placement()
        park(random_plan(rng, 10.0), rng, placed)
        if not placed.meshes():
            continue
        mesh, numbers = merge(placed.meshes()), placed.numbers()
        bicycle = np.array([m.name.startswith("bike_") for m in MATERIALS])[mesh.materials]
        lone += len(np.unique(numbers[bicycle & (numbers > 0)]))
        racked += int((bicycle & (numbers == 0)).sum())
        cars = np.array([m.name == "car_glass" for m in MATERIALS])[mesh.materials]
        assert (numbers[cars] > 0).all()
    assert lone > 0
    assert racked > 0
