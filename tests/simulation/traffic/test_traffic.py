# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perception.simulation.traffic.traffic import Halt, follow

gaps = st.lists(st.tuples(st.floats(2.5, 60.0), st.floats(1.8, 15.0), st.floats(3.0, 20.0)), min_size=1, max_size=7)
halts = st.one_of(st.none(), st.builds(Halt, st.floats(-50, 150), st.floats(0, 5), st.floats(5, 12)))


@settings(max_examples=60, deadline=None)
@given(gaps, halts)
def test_nobody_collides_or_reverses(queue: list[tuple[float, float, float]], halt: Halt | None) -> None:
    space, lengths, wishes = (np.array(v) for v in zip(*queue, strict=True))
    positions = np.cumsum(space + lengths) - lengths / 2  # each touches the one before but for the space
    motions = follow(positions, lengths, wishes, 12.0, halt)
    for i, motion in enumerate(motions):
        assert motion.travelled[0] == pytest.approx(positions[i])
        assert np.all(np.diff(motion.travelled) >= 0.0)
        if i + 1 < len(motions):
            gap = motions[i + 1].travelled - motion.travelled - (lengths[i] + lengths[i + 1]) / 2
            assert gap.min() > 0.2


def test_a_free_vehicle_reaches_the_speed_it_wants() -> None:
    (motion,) = follow(np.array([0.0]), np.array([4.5]), np.array([12.0]), 20.0, None)
    assert motion.speed_at(19.0) == pytest.approx(12.0, rel=0.05)
    assert motion.at(1.0) == pytest.approx(12.0, rel=0.1)


def test_red_stops_and_green_lets_go() -> None:
    (motion,) = follow(np.array([0.0]), np.array([4.5]), np.array([10.0]), 20.0, Halt(50.0, 0.0, 12.0))
    assert motion.speed_at(11.5) < 0.5
    assert 44.0 < motion.at(11.5) + 4.5 / 2 < 50.0
    assert motion.braking_at(11.5)
    assert motion.at(19.0) > 55.0


def test_who_cannot_stop_any_more_drives_on() -> None:
    (motion,) = follow(np.array([47.0]), np.array([4.5]), np.array([14.0]), 6.0, Halt(52.0, 0.5, 6.0))
    assert motion.speed_at(5.0) > 12.0


def test_motions_come_in_the_order_of_the_positions_given() -> None:
    motions = follow(np.array([30.0, 0.0, 60.0]), np.full(3, 4.5), np.full(3, 10.0), 2.0, None)
    assert [m.at(0.0) for m in motions] == [30.0, 0.0, 60.0]
