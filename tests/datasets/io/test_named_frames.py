# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.datasets.io.named_frames import NamedFrames
from perception.frame import Frame


class Drive(NamedFrames):
    path = Path("/data/drive_7")

    def __init__(self, *milliseconds: float) -> None:
        self.stamps_ns = [round(each * 1e6) for each in milliseconds]
        self.names = [f"left/{number:03d}" for number in range(len(milliseconds))]

    def read(self, index: int) -> Frame:
        return Frame(self.stamps_ns[index], rgb=np.full((2, 3, 3), index, np.uint8))


def test_frames_are_read_by_number_from_either_end() -> None:
    drive = Drive(0, 100, 200)
    assert len(drive) == 3
    assert drive[-1].stamp_ns == 200_000_000
    assert [frame.stamp_ns for frame in drive[:2]] == [0, 100_000_000]
    with pytest.raises(IndexError):
        drive[3]


def test_a_sample_has_the_recording_s_name_before_its_own() -> None:
    sample = Drive(0, 100).sample(1)
    assert sample.name == "drive_7/left/001"
    assert sample.frame.stamp_ns == 100_000_000
    assert sample.labels is None


@pytest.mark.parametrize(
    ("milliseconds", "rate"),
    [
        ((0, 100, 200, 300), 10),
        ((0, 50, 100, 3000, 3050), 20),  # a gap is no rate
        ((0, 0, 40, 40, 80), 25),  # neither are two frames at one time
        ((0, 100, 20, 120), 10),  # nor a clock that steps back
        ((5,), 10),
        ((), 10),
    ],
)
def test_the_rate_is_by_the_usual_step(milliseconds: tuple[float, ...], rate: float) -> None:
    assert Drive(*milliseconds).rate_hz == pytest.approx(rate)


def test_what_was_recorded_is_shown_as_it_is() -> None:
    drive = Drive(0, 100)
    np.testing.assert_array_equal(drive.shown(1).rgb, drive[1].rgb)
    assert (dict(drive.absent), list(drive.remarks), drive.broken) == ({}, [], "")
