# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
import pytest
from threadpoolctl import threadpool_info

from perception.threads import share_threads


@pytest.mark.parametrize(("total", "engine"), [(1, 1), (2, 2), (3, 3), (4, 3), (16, 15)])
def test_the_engine_gets_what_the_other_steps_do_not_need(total: int, engine: int) -> None:
    assert share_threads(total) == engine


def test_opencv_and_numpy_get_one_each() -> None:
    share_threads(2)
    np.ones((8, 8)) @ np.ones((8, 8))
    assert cv2.getNumThreads() == 1
    assert all(pool["num_threads"] == 1 for pool in threadpool_info() if pool["user_api"] == "blas")


def test_without_a_total_every_core_counts() -> None:
    assert share_threads() >= 1


def test_no_thread_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        share_threads(0)
