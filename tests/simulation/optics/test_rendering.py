# SPDX-License-Identifier: Apache-2.0
"""Several processes must give what one gives."""

from __future__ import annotations

import numpy as np

from perception.simulation import SimulatedDrive
from perception.simulation.optics.rendering import render


def test_workers_change_nothing_but_the_time() -> None:
    drive = SimulatedDrive(seed=4, frames=3, scale=0.1)
    rendered = list(render(drive, workers=2))
    assert [sample.frame.stamp_ns for sample in rendered] == [drive.stamp_ns(i) for i in range(3)]
    for index, sample in enumerate(render(drive, workers=1)):
        np.testing.assert_array_equal(rendered[index].frame.rgb, sample.frame.rgb)
        np.testing.assert_array_equal(rendered[index].frame.points, sample.frame.points)
        np.testing.assert_array_equal(rendered[index].labels, sample.labels)
