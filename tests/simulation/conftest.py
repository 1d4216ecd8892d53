# SPDX-License-Identifier: Apache-2.0
"""A street small enough to know by heart, traced and seen once for all the tests that look at it.

Flat asphalt everywhere; a facade across the street 40 m ahead; a red car's box whose back is 15 m ahead, which drives
on at 5 m/s; a warm person 8 m ahead, 2 m to the left. The ego vehicle stands at the origin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.optics.light import Lighting
from perception.simulation.optics.raycast import Tracer
from perception.simulation.optics.weather import Weather, weather_for
from perception.simulation.scene import Actor, Material, Scene, merge
from perception.simulation.sensors.camera import Camera, View
from perception.simulation.sensors.rig import rig_for
from perception.simulation.street.surface import MaterialTable
from perception.simulation.things.shapes import box, pose, quads

MATERIALS = [
    Material("asphalt", (0.1, 0.1, 0.1), "asphalt", reflectivity=0.2, warmth=2.0, class_id=ROAD),
    Material("facade", (0.5, 0.5, 0.45), "windows", reflectivity=0.5, warmth=1.0),
    Material("paint", (0.6, 0.02, 0.02), "paint", 0.5, 0.5, 1.0, 0.9, class_id=VEHICLE),
    Material("skin", (0.5, 0.4, 0.3), "skin", reflectivity=0.5, warmth=14.0, emissivity=0.98, class_id=PEDESTRIAN),
]
ASPHALT, FACADE, PAINT, SKIN = range(4)


def _street() -> Scene:
    ground = quads([[[-100, -100, 0], [300, -100, 0], [300, 100, 0], [-100, 100, 0]]], ASPHALT)
    facade = quads([[[40, -60, 0], [40, -60, 12], [40, 60, 12], [40, 60, 0]]], FACADE)
    car = box((4.0, 1.8, 1.5), (2.0, 0.0, 0.85), PAINT)
    person = box((0.3, 0.5, 1.8), (0.0, 0.0, 0.9), SKIN)
    return Scene(
        MATERIALS,
        merge([ground, facade]),
        [
            Actor("car", lambda _t: car, lambda t: pose(15.0 + 5.0 * t, 0.0)),
            Actor("pedestrian", lambda _t: person, lambda _t: pose(8.0, 2.0)),
        ],
        lambda _t: np.eye(4),
        np.array([[10.0, 5.0, 6.0]], np.float32),
    )


@dataclass
class Studio:
    """The street under one condition, and the sensors that look at it."""

    tracer: Tracer
    table: MaterialTable
    camera: Camera
    weather: Weather
    lighting: Lighting
    view: View
    pose: NDArray[np.float64]


def _studio(condition: str) -> Studio:
    scene = _street()
    tracer, table = Tracer(scene), MaterialTable(MATERIALS)
    tracer.move_to(0.0)
    rig = rig_for("kitti")
    camera, weather = Camera(rig.camera_model(0.25), table), weather_for(0, condition)
    lighting = Lighting(tracer, table, weather, scene.lamps, scene.ego(0.0))
    where = rig.camera_to_ego()
    return Studio(tracer, table, camera, weather, lighting, camera.look(tracer, lighting, where), where)


@pytest.fixture(scope="session")
def street() -> Scene:
    return _street()


@pytest.fixture(scope="session")
def day() -> Studio:
    return _studio("day")


@pytest.fixture(scope="session")
def night() -> Studio:
    return _studio("night")


@pytest.fixture(scope="session")
def fog() -> Studio:
    return _studio("fog")
