# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.classes import PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.instances import group
from perception.training.data.instance_targets import instance_targets


def _scene() -> tuple[np.ndarray, np.ndarray]:
    labels, instances = np.full((64, 128), ROAD, np.uint8), np.zeros((64, 128), np.uint16)
    labels[16:48, 8:72], labels[20:52, 100:108] = VEHICLE, PEDESTRIAN
    instances[16:48, 8:40], instances[16:48, 40:72], instances[20:52, 100:108] = 2001, 2002, 3001
    return labels, instances


def test_centres_are_in_their_class_s_map_and_offsets_point_at_them() -> None:
    labels, instances = _scene()
    vehicles, people, down, right, known, things = instance_targets(instances, labels)
    # The middle of rows 16–47 is 31.5, that of cell 7 is 29.5.
    assert np.argwhere(vehicles == 1).tolist() == [[8, 6], [8, 14]]
    assert np.argwhere(people == 1).tolist() == [[8, 26]] or np.argwhere(people == 1).tolist() == [[8, 25]]
    assert (down[4, 2], right[4, 2]) == (31.5 - 17.5, 23.5 - 9.5)
    assert right[8, 17] == 55.5 - 69.5
    assert (known == 1).all()
    assert things.sum() == np.count_nonzero(instances[2::4, 2::4])
    assert vehicles[8, 8] < vehicles[8, 7] < 1


def test_perfect_outputs_give_the_truth_back() -> None:
    labels, instances = _scene()
    grouped = group(labels, instance_targets(instances, labels)[:4])
    for code in (2001, 2002, 3001):
        (own,) = np.unique(grouped[instances == code])
        assert own // 1000 == code // 1000
    assert len(np.unique(grouped)) == 4


def test_unknown_is_what_has_no_label_and_things_that_nobody_told_apart() -> None:
    labels, instances = _scene()
    labels[:, 112:] = UNLABELLED
    instances[instances == 2002] = 0
    instances[60, 4:10], labels[60, 4:10] = 3005, PEDESTRIAN  # too small
    *_, known, things = instance_targets(instances, labels)
    assert not known[:, 28:].any()
    assert not known[5:11, 11:17].any()
    assert known[8, 4] == 1
    assert things[8, 14] == 0
    assert not instance_targets(None, labels).any()


def test_a_class_within_another_has_the_same_map() -> None:
    from perception.classes import CLASSES

    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    labels, instances = np.full((32, 32), 4, np.uint8), np.full((32, 32), 4001, np.uint16)
    vehicles, *_ = instance_targets(instances, labels, five)
    assert vehicles.max() == 1
