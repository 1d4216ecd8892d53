# SPDX-License-Identifier: Apache-2.0
"""Any vehicle by its body and paint, warm or cold, braking or not. Same conventions as `cars`."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from perception.simulation.scene import Mesh
from perception.simulation.things.materials import index
from perception.simulation.things.shapes import recoloured
from perception.simulation.traffic.cars import BODIES, car
from perception.simulation.traffic.trucks import BUILDERS

CAR_FREQUENCY: dict[str, float] = {
    "hatchback": 0.28, "saloon": 0.15, "estate": 0.16, "suv": 0.16, "mpv": 0.09, "city": 0.08, "minibus": 0.03,
    "panel_van": 0.04, "pickup": 0.01,
}  # fmt: skip
"""How often each body is met."""


ALL_BODIES: tuple[str, ...] = (*BODIES, *BUILDERS)
"""Every body that `vehicle` can make."""


def kind_of(body: str) -> str:
    """The actor kind of a body: "car", "van", "truck" or "bus"."""
    return {"panel_van": "van", "minibus": "van", "truck": "truck", "semi": "truck", "bus": "bus"}.get(body, "car")


@lru_cache(maxsize=512)
def vehicle(body: str, paint: str, moving: bool, braking: bool = False, lights: bool = False) -> Mesh:
    """Mesh of a vehicle. body: one of ALL_BODIES; paint: a key of PAINTS.

    moving: engine, tyres and exhaust are warm. braking: brake lights on. lights: head and tail lights on.
    The same arguments give the same object.
    """
    mesh = _template(body)
    bonnet = index(f"{'bonnet' if moving else 'paint'}_{paint}")
    mapping = {index("paint_silver"): index(f"paint_{paint}"), index("bonnet_silver"): bonnet}
    if moving:
        warm = {"tyre": "tyre_warm", "rim": "rim_warm", "arch": "arch_warm", "exhaust": "exhaust_warm"}
        mapping |= {index(cold): index(hot) for cold, hot in warm.items()}
    else:
        mapping[index("grille_warm")] = index("trim")
    if lights:
        mapping[index("headlight")] = index("headlight_on")
    if lights or braking:
        mapping[index("taillight")] = index("taillight_on")
    return recoloured(mesh, mapping)


@lru_cache(maxsize=16)
def length_of(body: str) -> float:
    """Length of a body, metres."""
    return float(np.ptp(_template(body).vertices[:, 0]))


@lru_cache(maxsize=16)
def _template(body: str) -> Mesh:
    return BUILDERS[body]() if body in BUILDERS else car(body)
