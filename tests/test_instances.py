# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.classes import CLASSES, PEDESTRIAN, ROAD, UNLABELLED, VEHICLE
from perception.instances import CELL, MOST, coded, extents, free_code, group, nearest_value, part_by_depth, recoded


def _found(centres: dict[tuple[int, int, int], float], shape: tuple[int, int] = (16, 32)) -> np.ndarray:
    """Centres (kind, row, column) with their scores; no offsets."""
    found = np.zeros((4, *shape), np.float32)
    for (kind, row, column), score in centres.items():
        found[kind, row, column] = score
    return found


def test_codes_hold_class_and_number() -> None:
    labels = np.array([VEHICLE, PEDESTRIAN, UNLABELLED, VEHICLE, VEHICLE], np.uint8)
    assert coded(labels, np.array([1, 20, 3, 0, 1000])).tolist() == [2001, 3020, 0, 0, 0]
    table = np.arange(256, dtype=np.uint8)
    table[PEDESTRIAN], table[VEHICLE] = 7, UNLABELLED
    assert recoded(np.array([2001, 3020, 0], np.uint16), table).tolist() == [0, 7020, 0]


def test_a_free_code_is_the_next_of_its_class() -> None:
    instances = np.array([[0, 2001, 2004, 3007]], np.uint16)
    assert (free_code(instances, VEHICLE), free_code(instances, PEDESTRIAN), free_code(instances, 9)) == (
        2005,
        3008,
        9001,
    )
    assert free_code(np.array([[2999]], np.uint16), VEHICLE) == 0


def test_the_nearest_value_is_taken() -> None:
    values = np.array([[5, 0, 0, 0, 9]])
    assert nearest_value(values, values > 0)[0, [0, 1, 3, 4]].tolist() == [5, 5, 9, 9]


def test_every_pixel_belongs_to_the_centre_of_its_class_that_it_points_at() -> None:
    labels = np.full((64, 128), ROAD, np.uint8)
    labels[16:48, 8:72], labels[16:48, 72:80] = VEHICLE, PEDESTRIAN
    found = _found({(0, 8, 6): 0.9, (0, 8, 14): 0.8, (1, 8, 19): 0.7})
    found[3, :, :12] = -8.0  # halfway between the two: all left of column 48 point further left
    instances = group(labels, found)
    assert np.unique(instances).tolist() == [0, 2001, 2002, 3001]
    assert instances[20, 44] == 2001
    assert instances[20, 50] == 2002
    assert instances[20, 75] == 3001
    assert instances[50, 20] == 0


def test_a_thing_that_ends_within_a_cell_is_whole() -> None:
    labels = np.full((64, 128), ROAD, np.uint8)
    labels[18:46, 10:71] = VEHICLE
    instances = group(labels, _found({(0, 8, 6): 0.9}))
    np.testing.assert_array_equal(instances == 2001, labels == VEHICLE)


def test_only_the_strongest_of_very_many_centres_are_kept() -> None:
    labels = np.full((1024, 1024), VEHICLE, np.uint8)
    place = np.arange(8, 256, 16)
    found = np.zeros((4, 256, 256), np.float32)
    found[0, place[:, None], place] = np.linspace(0.6, 0.9, 256).reshape(16, 16)
    instances = group(labels, found)
    assert len(np.unique(instances)) <= MOST
    last_five = instances[CELL * place[-5:, None], CELL * place]
    assert len(np.unique(last_five)) == last_five.size


def test_an_offset_moves_a_cell_to_another_centre() -> None:
    labels = np.full((64, 128), VEHICLE, np.uint8)
    found = _found({(0, 8, 2): 0.9, (0, 8, 29): 0.9})
    found[3, :, 4:8] = 29 * CELL
    instances = group(labels, found)
    assert instances[32, 12] == instances[32, 40] != instances[32, 20]
    assert instances[32, 20] == instances[32, 120]


def test_one_centre_stands_alone_in_its_neighbourhood_and_a_plateau_is_one() -> None:
    labels = np.full((64, 128), VEHICLE, np.uint8)
    found = _found({(0, 8, 6): 0.9, (0, 8, 8): 0.8, (0, 4, 20): 0.7, (0, 4, 21): 0.7, (0, 12, 20): 0.1})
    assert np.unique(group(labels, found)).tolist() == [2001, 2002]


def _pointing(parts: dict[tuple[int, int], float]) -> np.ndarray:
    """Offsets of 8 × 32 cells: those of each range of columns point at a column of the eighth row, as everybody does
    who has learnt little: half of the way."""
    found = np.zeros((4, 16, 32), np.float32)
    rows, columns = np.indices((16, 32))
    found[2] = CELL * (8 - rows)
    for (first, last), column in parts.items():
        found[3, :, first:last] = CELL * (column - columns[:, first:last]) / 2
    return found


def test_peaks_that_are_close_for_the_size_of_a_thing_are_joined() -> None:
    labels = np.full((64, 128), ROAD, np.uint8)
    labels[:, 32:96] = VEHICLE  # 16 cells across, all of which point towards column 16
    found = _pointing({(0, 32): 16.0})
    found[0, 8, [12, 20]] = 0.9
    assert np.unique(group(labels, found)).tolist() == [0, 2001]


def test_things_beside_each_other_are_not_joined() -> None:
    labels = np.full((64, 128), ROAD, np.uint8)
    labels[24:40, 32:96] = VEHICLE
    found = _pointing({(0, 16): 12.0, (16, 32): 20.0})
    found[0, 8, [12, 20]] = 0.9
    instances = group(labels, found)
    assert np.unique(instances).tolist() == [0, 2001, 2002]
    assert (instances[32, 60], instances[32, 68]) == (2001, 2002)


def test_people_may_be_closer_than_cars() -> None:
    found = _pointing({(0, 16): 13.0, (16, 32): 18.5})
    found[:2, 8, [13, 18]] = 0.9
    for kind, count in ((VEHICLE, 1), (PEDESTRIAN, 2)):
        labels = np.full((64, 128), ROAD, np.uint8)
        labels[:, 48:80] = kind
        assert len(np.unique(group(labels, found))) == 1 + count


def test_the_halves_of_a_tall_person_are_joined_and_people_beside_each_other_are_not() -> None:
    labels = np.full((64, 128), ROAD, np.uint8)
    labels[:, 52:76] = PEDESTRIAN
    found = _found({(1, 4, 15): 0.9, (1, 12, 15): 0.9})
    assert np.unique(group(labels, found)).tolist() == [0, 3001]
    labels[:] = PEDESTRIAN
    found = _found({(1, 8, 8): 0.9, (1, 8, 24): 0.9})
    assert np.unique(group(labels, found)).tolist() == [3001, 3002]


def test_what_has_no_centre_is_no_instance() -> None:
    labels = np.full((64, 128), PEDESTRIAN, np.uint8)
    assert not group(labels, _found({(0, 8, 6): 0.9})).any()
    assert not group(labels, _found({})).any()


def test_a_thing_of_two_classes_is_what_most_of_it_is() -> None:
    five = CLASSES.extended([dict(name="bicycle", colour=(255, 200, 0), within="vehicle")])
    labels = np.full((64, 128), 4, np.uint8)
    labels[:16] = VEHICLE
    assert np.unique(group(labels, _found({(0, 8, 6): 0.9}), five)).tolist() == [4001]


def _points(columns: tuple[int, int], depth: float, rows: tuple[int, int] = (10, 30)) -> tuple[np.ndarray, np.ndarray]:
    """Pixels of a 40 × 100 image and depths, about 0.2 m apart."""
    v, u = (axis.ravel() for axis in np.mgrid[rows[0] : rows[1] : 4, columns[0] : columns[1] : 4])
    return v * 100 + u, (depth + 0.2 * (np.arange(len(v)) % 3)).astype(np.float32)


def test_two_things_one_behind_the_other_are_parted_at_the_gap() -> None:
    instances = np.zeros((40, 100), np.uint16)
    instances[8:32, 10:90] = 2001
    instances[8:32, 92:] = 2003
    (near, at), (far, behind) = _points((12, 50), 10.0), _points((50, 90), 16.0)
    part_by_depth(instances, np.concatenate([near, far]), np.concatenate([at, behind]))
    assert np.unique(instances).tolist() == [0, 2001, 2003, 2004]
    assert (instances[20, 10:48] == 2001).all()
    assert (instances[20, 52:90] == 2004).all()
    assert instances[20, 95] == 2003


def test_three_things_are_parted_twice() -> None:
    instances = np.full((40, 100), 3001, np.uint16)
    parts = [_points((2, 30), 5.0), _points((34, 62), 9.0), _points((66, 98), 14.0)]
    part_by_depth(instances, *(np.concatenate(each) for each in zip(*parts, strict=True)))
    assert len({instances[20, 10], instances[20, 48], instances[20, 80]}) == 3


def test_a_small_gap_and_what_is_seen_through_a_window_part_nothing() -> None:
    instances = np.full((40, 100), 2001, np.uint16)
    (near, at), (far, behind) = _points((12, 50), 10.0), _points((50, 90), 11.4)
    part_by_depth(instances, np.concatenate([near, far]), np.concatenate([at, behind]))
    (inner, beyond), (outer, body) = _points((40, 60), 20.0, (16, 28)), _points((10, 90), 10.0)
    part_by_depth(instances, np.concatenate([inner, outer]), np.concatenate([beyond, body]))
    few = np.arange(7)
    part_by_depth(instances, few, np.linspace(5, 50, 7).astype(np.float32))
    part_by_depth(instances, few, np.full(7, np.nan, np.float32))
    assert (instances == 2001).all()


def test_extents_are_the_first_and_last_pixels_of_each_instance() -> None:
    instances = np.zeros((10, 20), np.uint16)
    instances[2:5, 3:9], instances[8, 19], instances[4, 1] = 2001, 3001, 2001
    found = extents(instances)
    assert found.codes.tolist() == [2001, 3001]
    assert found.boxes.tolist() == [[1, 2, 8, 4], [19, 8, 19, 8]]
    assert found.areas.tolist() == [19, 1]
    assert [len(each) for each in extents(np.zeros((3, 4), np.uint16))] == [0, 0, 0]
