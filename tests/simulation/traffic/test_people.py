# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.classes import PEDESTRIAN
from perception.simulation.things.materials import MATERIALS
from perception.simulation.traffic import people

seeds = st.integers(0, 10_000)


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(0, 2 * np.pi), st.floats(0, 1))
def test_walkers_stand_on_the_ground_at_their_height(seed: int, phase: float, vigour: float) -> None:
    person = people.random_person(np.random.default_rng(seed))
    mesh = people.figure(person, people.walking(person, phase, vigour))
    assert np.isfinite(mesh.vertices).all()
    assert abs(mesh.vertices[:, 2].min()) < 0.05
    assert 0.88 * person.height < mesh.vertices[:, 2].max() < 1.1 * person.height
    assert np.ptp(mesh.vertices[:, 1]) < 0.75 * person.height
    assert len(mesh.triangles) < 2000
    assert all(MATERIALS[m].class_id == PEDESTRIAN for m in np.unique(mesh.materials))


@settings(max_examples=40, deadline=None)
@given(seeds, st.floats(0, 2 * np.pi))
def test_bones_keep_their_length(seed: int, phase: float) -> None:
    person = people.random_person(np.random.default_rng(seed))
    pose = people.walking(person, phase)
    shins = np.linalg.norm(pose.knees - pose.ankles, axis=1)
    np.testing.assert_allclose(shins, people.SHIN * person.height, rtol=1e-6)


def test_legs_swing_in_turn() -> None:
    person = people.random_person(np.random.default_rng(0))
    right_ahead, left_ahead = (people.walking(person, phase).ankles for phase in (np.pi / 2, 3 * np.pi / 2))
    assert right_ahead[0, 0] > right_ahead[1, 0] + 0.2
    assert left_ahead[1, 0] > left_ahead[0, 0] + 0.2


@pytest.mark.parametrize("arms", ["down", "phone", "folded", "hips"])
def test_standing_arms_reach_their_place(arms: str) -> None:
    person = people.random_person(np.random.default_rng(3))
    pose = people.standing(person, arms, 0.3)
    joints = people.shoulders(person, pose.pelvis, pose.lean)
    forearm = np.linalg.norm(pose.wrists - pose.elbows, axis=1)
    upper = np.linalg.norm(pose.elbows - joints, axis=1)
    assert np.all(forearm < 1.15 * people.FOREARM * person.height)
    assert np.all(upper < 1.15 * people.UPPER_ARM * person.height)
    if arms == "phone":
        assert pose.wrists[0, 2] > pose.wrists[1, 2] + 0.2 * person.height


def test_people_differ() -> None:
    crowd = [people.random_person(np.random.default_rng(seed)) for seed in range(60)]
    assert len({p.top for p in crowd}) > 8
    assert min(p.height for p in crowd) < 1.5 < 1.85 < max(p.height for p in crowd)
    assert {p.garment for p in crowd} == {"none", "coat", "skirt"}
    assert {p.bag for p in crowd} == {"none", "backpack", "shoulder", "hand"}
