# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import numpy as np

from perception.assembly.clocks import strangers
from perception.assembly.pairing import Timing, find_instants

T0 = 1_795_946_400_000_000_000
"""2026-11-29 10:00:00 UTC"""
TIMING = Timing(tolerance_s=0.05, wait_s=0.05, timeouts_s={})


def every(first_ns: int, count: int = 22) -> np.ndarray:
    return first_ns + np.arange(count, dtype=np.int64) * 100_000_000


def said(recorded: dict[str, tuple[int, int]] | None = None, **stamps: np.ndarray) -> dict[str, str]:
    recorded = recorded or dict.fromkeys(stamps, (T0, T0 + 2_200_000_000))
    return strangers(stamps, recorded, find_instants(stamps, TIMING))


def test_stamps_since_boot_beside_stamps_since_1970() -> None:
    found = said(rgb=every(T0), lidar=every(40_000_000_000))
    assert found["lidar"] == (
        "lidar: its stamps (40.0 s to 42.1 s) never meet those of rgb (2026-11-29 10:00:00 to 2026-11-29 10:00:02), at "
        "best 1.8e+09 s apart, though both were recorded at the same time: is its clock right?"
    )
    assert set(found) == {"rgb", "lidar"}, "nobody knows which of two is right"


def test_of_three_the_one_that_never_pairs() -> None:
    found = said(rgb=every(T0), infrared=every(T0 + 9_000_000), lidar=every(T0 - 3600_000_000_000))
    assert list(found) == ["lidar"]
    assert "(2026-11-29 09:00:00 to 2026-11-29 09:00:02) never meet those of rgb" in found["lidar"]


def test_a_constant_offset_within_the_same_seconds() -> None:
    """Each lies halfway between two images, further than the tolerance."""
    stamps = {"rgb": every(T0)[::2], "lidar": every(T0 + 100_000_000)[::2]}
    assert "at best 0.1 s apart" in said(**stamps)["lidar"]


def test_good_clocks() -> None:
    assert said(rgb=every(T0), lidar=every(T0 + 30_000_000)) == {}
    assert said(rgb=every(T0)) == {}
    one_after_the_other = {"rgb": (T0, T0 + 2_200_000_000), "lidar": (T0 + 9_000_000_000, T0 + 12_000_000_000)}
    assert said(one_after_the_other, rgb=every(T0), lidar=every(T0 + 9_000_000_000)) == {}
