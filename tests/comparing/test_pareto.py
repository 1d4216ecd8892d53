# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import cv2
import numpy as np
from helpers.training.compared import report, row

from perception.comparing.pareto import pareto_plot
from perception.comparing.report import CompareReport


def test_it_draws_what_is_scored_and_timed_and_nothing_where_nothing_is() -> None:
    some = pareto_plot(report(unet=row(0.5, 1.0), fcn=row(0.6, 3.0), far=row(0.7, 2.0, training=None)))
    none = pareto_plot(CompareReport())
    drawn, empty = (cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) for data in (some, none))
    assert drawn.shape == empty.shape
    assert (drawn < 200).any(2).sum() > (empty < 200).any(2).sum()
