# SPDX-License-Identifier: Apache-2.0
"""What a further sensor is simulated from: the street at an instant, and the vehicle in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perception.simulation.optics.raycast import Tracer
from perception.simulation.scene import Scene
from perception.simulation.sensors.rig import Rig
from perception.simulation.street.surface import MaterialTable


class Surroundings(NamedTuple):
    """The street at `time` [s], to which `tracer` has moved.

    ego: time [s] → (4, 4) vehicle (x forward, y left, z up, on the ground) → world. density: share of the rays that is
    cast, for small simulations. rng: random numbers of this sensor and frame alone.
    """

    scene: Scene
    tracer: Tracer
    table: MaterialTable
    rig: Rig
    ego: Callable[[float], NDArray[np.float64]]
    time: float
    density: float = 1.0
    rng: np.random.Generator = np.random.default_rng(0)
