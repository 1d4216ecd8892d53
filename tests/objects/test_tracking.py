# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import sys

import numpy as np
import pytest

from perception.classes import PEDESTRIAN, VEHICLE
from perception.objects.tracking import Tracking

pytest.importorskip("trackers")

TENTH_NS = 100_000_000


def scene(*things: tuple[int, int], width: int = 40) -> np.ndarray:
    """Codes of a frame: of each thing its code and its left column."""
    instances = np.zeros((100, 600), np.uint16)
    for code, left in things:
        instances[30:70, max(0, left) : max(0, left + width)] = code
    return instances


def test_things_keep_their_numbers_whatever_the_frame_calls_them() -> None:
    tracking = Tracking()
    for frame in range(12):
        left, right, person = 20 + 6 * frame, 300 - 4 * frame, 500
        own = (2001, 2002) if frame % 2 else (2002, 2001)
        instances = scene((own[0], left), (own[1], right), (3000 + 1 + frame, person))
        numbered = tracking(instances, frame * TENTH_NS)[instances]
        assert (numbered[50, left + 5], numbered[50, right + 5], numbered[50, person + 5]) == (2002, 2001, 3001)
        assert numbered[0, 0] == 0


def test_what_comes_has_a_new_number_from_its_first_frame_on() -> None:
    tracking = Tracking()
    for frame in range(6):
        things = [(2001, 20)] if frame < 3 else [(2001, 400 + frame), (2002, 20)]
        instances = scene(*things)
        numbered = tracking(instances, frame * TENTH_NS)[instances]
        assert numbered[50, 30] == 2001
        assert frame < 3 or numbered[50, 420] == 2002


def test_what_is_out_of_sight_for_a_moment_keeps_its_number_and_what_comes_meanwhile_gets_another() -> None:
    tracking = Tracking()
    for frame in range(10):
        things = [(2001, 300)] if frame in (4, 5) else [(2001, 20), (2002, 300)]
        instances = scene(*things) if frame else scene((2001, 20))
        numbered = tracking(instances, frame * TENTH_NS)[instances]
        assert numbered[50, 30] == (0 if frame in (4, 5) else 2001)
        assert frame == 0 or numbered[50, 310] == 2002


def test_numbers_of_another_drive_are_others() -> None:
    tracking = Tracking()
    instances = scene((2001, 20))
    assert tracking(instances, 5_000_000_000)[2001] == 2001
    assert tracking(instances, 5_100_000_000)[2001] == 2001
    assert tracking(instances, 1_000_000_000)[2001] == 2002  # it begins anew
    assert tracking(instances, 9_000_000_000)[2001] == 2003  # after a gap


def test_after_999_the_numbers_that_have_rested_longest_come_again() -> None:
    tracking = Tracking()
    given = []
    for frame in range(1003):
        instances = scene((2001, 100 * (frame % 5)), (3001, 500), width=20)
        table = tracking(instances, frame * TENTH_NS)
        given.append(int(table[2001]))
        assert table[3001] == 3001
    assert max(given) == 2999
    assert min(given) == 2001
    assert given[:5] == [2001, 2002, 2003, 2004, 2005]


def test_nothing_there_is_nothing_numbered() -> None:
    tracking = Tracking()
    for frame, things in enumerate(([], [(2001, 50)], [], [(2001, 50)])):
        instances = scene(*things)
        assert (tracking(instances, frame * TENTH_NS)[instances] > 0).any() == bool(things)


def test_without_the_package_numbers_are_the_frames_and_one_word_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trackers", None)
    said: list[str] = []
    tracking = Tracking(said.append)
    for frame in range(3):
        instances = scene((2007, 20), (3009, 200))
        np.testing.assert_array_equal(tracking(instances, frame * TENTH_NS)[instances], instances)
    assert len(said) == 1
    assert "pip install 'multimodal_perception[track]'" in said[0]
    assert (VEHICLE, PEDESTRIAN) == (2, 3)
