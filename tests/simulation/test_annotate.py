# SPDX-License-Identifier: Apache-2.0
import numpy as np

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.annotate import fill_bicycles

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
