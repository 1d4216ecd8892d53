# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.scene import Material
from perception.simulation.street.surface import MaterialTable, look_up
from perception.simulation.things import textures

PLAIN = Material("a", (0.1, 0.2, 0.3), specular=0.4, reflectivity=0.5, warmth=6.0, emissivity=0.7)
LAMP = Material("b", (0.9, 0.9, 0.9), glow=(1.0, 2.0, 3.0))


def test_a_row_of_the_table_is_a_material() -> None:
    table = MaterialTable([LAMP, PLAIN, Material("bike_frame", (0, 0, 0), "paint", class_id=VEHICLE)])
    np.testing.assert_allclose(table.albedo[1], [0.1, 0.2, 0.3])
    np.testing.assert_allclose(table.glow[0], [1, 2, 3])
    figures = (table.specular[1], table.reflectivity[1], table.warmth[1], table.emissivity[1])
    assert figures == pytest.approx((0.4, 0.5, 6.0, 0.7))
    assert table.class_id.tolist() == [BACKGROUND, BACKGROUND, VEHICLE]
    assert table.bicycle.tolist() == [False, False, True]
    assert textures.NAMES[table.texture[2]] == "paint"


def test_every_hit_gets_the_looks_of_its_own_material(day: Any) -> None:
    """From above: asphalt, the red car, a person; hits of different patterns lie between each other."""
    places = [(-20.0, 0.0), (16.0, 0.0), (8.0, 2.0), (-21.0, 0.3), (16.5, 0.2)]
    hits = day.tracer.cast(np.array([[x, y, 20, 0, 0, -1] for x, y in places], np.float32))
    assert day.table.class_id[hits.material].tolist() == [ROAD, VEHICLE, PEDESTRIAN, ROAD, VEHICLE]
    surface = look_up(hits, day.table, np.full(5, 0.01, np.float32))
    assert [textures.NAMES[number] for number in surface.texture] == ["asphalt", "paint", "skin", "asphalt", "paint"]
    for row in (1, 4):
        red, green, blue = surface.albedo[row]
        assert red > 5 * max(green, blue)
    for row in (0, 3):
        assert np.ptp(surface.albedo[row]) < 0.05
        assert 0.02 < surface.albedo[row].mean() < 0.3
    assert surface.albedo.min() >= 0
    assert surface.albedo.max() <= 0.95
    assert not surface.glow.any()


def test_windows_are_glass_and_walls_between_them_are_not(day: Any) -> None:
    heights, across = np.meshgrid(np.arange(1.0, 11.0, 0.25), np.arange(-20.0, 20.0, 0.25))
    rays = np.zeros((heights.size, 6), np.float32)
    rays[:, 0], rays[:, 1], rays[:, 2], rays[:, 3] = 30, across.ravel(), heights.ravel(), 1
    hits = day.tracer.cast(rays)
    surface = look_up(hits, day.table, np.full(len(hits.ray), 0.01, np.float32))
    assert 0.05 < (surface.glass > 0.5).mean() < 0.8
    assert surface.specular[surface.glass > 0.9].min() > surface.specular[surface.glass < 0.1].max()
