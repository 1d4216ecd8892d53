# SPDX-License-Identifier: Apache-2.0
import numpy as np

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.annotate import fill_bicycles, number_things

FOCAL = 700.0


def _wheel() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A ring of a tyre 10 m away, before a road 20 m away; a post in front of it and a leg on it."""
    rows, columns = np.mgrid[:40, :40]
    radius = np.hypot(rows - 20, columns - 20)
    bicycle = (radius > 10) & (radius < 13)
    labels = np.where(bicycle, VEHICLE, ROAD).astype(np.uint8)
    depth = np.where(bicycle, 10, 20).astype(np.float32)
    labels[:, 15:17], depth[:, 15:17], bicycle[:, 15:17] = BACKGROUND, 5.0, False
    labels[18:22, 22:24], depth[18:22, 22:24] = PEDESTRIAN, 9.9
    return labels, depth, bicycle


def test_what_is_seen_between_the_spokes_belongs_to_the_bicycle() -> None:
    labels, depth, bicycle = _wheel()
    fill_bicycles(labels, depth, bicycle, FOCAL)
    assert labels[20, 27] == VEHICLE
    assert labels[20, 12] == VEHICLE
    assert labels[2, 2] == ROAD


def test_people_and_what_stands_before_it_stay_what_they_are() -> None:
    labels, depth, bicycle = _wheel()
    fill_bicycles(labels, depth, bicycle, FOCAL)
    assert (labels[:, 15:17] == BACKGROUND).all()
    assert (labels[18:22, 22:24] == PEDESTRIAN).all()


def test_no_bicycle_changes_nothing() -> None:
    labels, depth, bicycle = _wheel()
    before = labels.copy()
    fill_bicycles(labels, depth, np.zeros_like(bicycle), FOCAL)
    assert (labels == before).all()


def test_every_thing_has_a_number_within_its_class() -> None:
    labels = np.array([[VEHICLE, VEHICLE, PEDESTRIAN, PEDESTRIAN, ROAD, VEHICLE]], np.uint8)
    things = np.array([[40, 7, 40, 12, 3, 7]])
    nothing = np.zeros(labels.shape, bool)
    assert number_things(labels, things, nothing).tolist() == [[2002, 2001, 3002, 3001, 0, 2001]]


def test_gaps_between_spokes_are_the_nearest_bicycle_s() -> None:
    labels = np.full((1, 8), VEHICLE, np.uint8)
    things = np.array([[5, 0, 0, 9, 0, 8, 8, 8]])
    bicycle = np.array([[True, False, False, True, False, False, False, False]])
    assert number_things(labels, things, bicycle).tolist() == [[2001, 2001, 2003, 2003, 2003, 2002, 2002, 2002]]
