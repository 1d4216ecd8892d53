# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from perception.export.frames import SUBSETS, calibration_frames, check_frames


def test_every_subset_of_sensors_is_among_the_frames() -> None:
    assert len(SUBSETS) == 15
    whole, some, whole_again, other = check_frames(2)
    assert whole.present.tolist() == whole_again.present.tolist() == [1, 1, 1, 1]
    assert some.present.tolist() == [1, 0, 0, 0]
    assert other.present.tolist() == [0, 1, 0, 0]
    first, second = calibration_frames(2)
    assert first.present.tolist() == [1, 1, 1, 1]
    assert second.present.sum() == 1
