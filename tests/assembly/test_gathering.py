# SPDX-License-Identifier: Apache-2.0
"""Which clouds of several cameras belong to one sweep: times and stamps by hand."""

from __future__ import annotations

from perception.assembly.gathering import Gathering

MS = 1_000_000


def given(gathering: Gathering[str], now: float) -> list[tuple[int, dict[str, str]]]:
    return list(gathering.due(now))


def both() -> Gathering[str]:
    """Two cameras that have both sent the sweep at 0, which was given out."""
    gathering = Gathering[str](("front", "rear"), wait_s=0.3)
    gathering.put("rear", 0, "r0", 10.0)
    gathering.put("front", 0, "f0", 10.0)
    assert given(gathering, 10.0) == [(0, {"front": "f0", "rear": "r0"})]
    return gathering


def test_a_sweep_is_given_out_when_every_camera_has_sent_it() -> None:
    gathering = both()
    gathering.put("front", 100 * MS, "f1", 10.1)
    assert given(gathering, 10.15) == []
    gathering.put("rear", 100 * MS, "r1", 10.2)
    assert given(gathering, 10.2) == [(100 * MS, {"front": "f1", "rear": "r1"})]
    assert (gathering.counts.sweeps, gathering.counts.whole) == (2, 2)


def test_the_wait_for_a_camera_is_bounded_and_what_comes_later_is_counted() -> None:
    gathering = both()
    gathering.put("front", 100 * MS, "f1", 10.1)
    assert given(gathering, 10.39) == []
    assert given(gathering, 10.41) == [(100 * MS, {"front": "f1"})]
    gathering.put("rear", 100 * MS, "r1", 10.45)
    assert given(gathering, 11.0) == []
    counts = gathering.counts
    assert (counts.sweeps, counts.whole, dict(counts.missing), dict(counts.late)) == (2, 1, {"rear": 1}, {"rear": 1})


def test_a_camera_that_has_sent_a_newer_sweep_will_not_send_an_older_one() -> None:
    gathering = both()
    gathering.put("front", 100 * MS, "f1", 10.1)
    gathering.put("rear", 150 * MS, "r2", 10.12)
    assert given(gathering, 10.12) == [(100 * MS, {"front": "f1"})]
    gathering.put("front", 200 * MS, "f3", 10.2)
    assert given(gathering, 10.2) == [(150 * MS, {"rear": "r2"})]


def test_sweeps_keep_their_order() -> None:
    gathering = Gathering[str](("front", "rear", "left"), wait_s=0.3)
    for camera in ("front", "rear", "left"):
        gathering.put(camera, 0, "", 10.0)
    assert len(given(gathering, 10.0)) == 1
    gathering.put("front", 100 * MS, "f1", 10.1)
    gathering.put("front", 200 * MS, "f2", 10.2)
    gathering.put("rear", 200 * MS, "r2", 10.2)
    assert given(gathering, 10.25) == []  # left may still send both
    gathering.put("left", 200 * MS, "l2", 10.3)
    assert [stamp // MS for stamp, _ in given(gathering, 10.3)] == [100, 200]


def test_a_silent_camera_is_not_waited_for() -> None:
    gathering = both()
    assert gathering.silent(10.9) == []
    assert gathering.silent(11.1) == ["front", "rear"]
    gathering.put("front", 1100 * MS, "f", 11.1)
    assert given(gathering, 11.1) == [(1100 * MS, {"front": "f"})]
    never = Gathering[str](("front", "rear"), wait_s=0.3)
    never.put("front", 0, "f", 0.0)
    assert given(never, 0.0) == [(0, {"front": "f"})]


def test_a_recording_that_begins_again_is_taken_from_its_beginning() -> None:
    gathering = both()
    for camera in ("front", "rear"):
        gathering.put(camera, 5000 * MS, "end", 10.1)
    assert len(given(gathering, 10.1)) == 1
    for camera in ("front", "rear"):
        gathering.put(camera, 100 * MS, camera, 10.2)
    assert given(gathering, 10.2) == [(100 * MS, {"front": "front", "rear": "rear"})]
