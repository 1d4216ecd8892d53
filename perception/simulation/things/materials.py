# SPDX-License-Identifier: Apache-2.0
"""The table of materials that streets are made of: a fixed index per name, looks that vary from street to street."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from perception.classes import PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.scene import Material

Colour = tuple[float, float, float]

PAINTS: dict[str, tuple[Colour, float]] = {
    "black": ((0.012, 0.012, 0.014), 0.07),
    "anthracite": ((0.045, 0.048, 0.052), 0.12),
    "grey": ((0.14, 0.145, 0.15), 0.25),
    "silver": ((0.36, 0.37, 0.38), 0.40),
    "white": ((0.72, 0.72, 0.71), 0.65),
    "blue": ((0.02, 0.06, 0.22), 0.15),
    "light_blue": ((0.12, 0.25, 0.42), 0.30),
    "red": ((0.36, 0.018, 0.018), 0.35),
    "dark_red": ((0.13, 0.012, 0.02), 0.20),
    "green": ((0.02, 0.10, 0.055), 0.18),
    "beige": ((0.36, 0.31, 0.22), 0.40),
    "yellow": ((0.65, 0.45, 0.04), 0.50),
    "orange": ((0.62, 0.19, 0.02), 0.45),
    "brown": ((0.09, 0.05, 0.03), 0.18),
}
"""Car paints: linear albedo and LiDAR reflectivity."""

PAINT_FREQUENCY: dict[str, float] = {
    "black": 0.17, "anthracite": 0.14, "grey": 0.14, "silver": 0.15, "white": 0.15, "blue": 0.08, "light_blue": 0.02,
    "red": 0.06, "dark_red": 0.02, "green": 0.02, "beige": 0.015, "yellow": 0.01, "orange": 0.01, "brown": 0.015,
}  # fmt: skip
"""How often each paint is met on European streets."""

CLOTHES: dict[str, Colour] = {
    "black": (0.015, 0.015, 0.017),
    "charcoal": (0.05, 0.05, 0.055),
    "grey": (0.17, 0.17, 0.175),
    "light_grey": (0.40, 0.40, 0.40),
    "white": (0.72, 0.71, 0.69),
    "cream": (0.60, 0.52, 0.38),
    "navy": (0.015, 0.025, 0.07),
    "jeans": (0.05, 0.09, 0.18),
    "light_jeans": (0.17, 0.25, 0.36),
    "blue": (0.03, 0.12, 0.42),
    "sky": (0.25, 0.45, 0.65),
    "red": (0.45, 0.03, 0.03),
    "burgundy": (0.14, 0.02, 0.04),
    "pink": (0.65, 0.28, 0.35),
    "green": (0.04, 0.20, 0.07),
    "olive": (0.11, 0.11, 0.04),
    "khaki": (0.30, 0.23, 0.12),
    "brown": (0.12, 0.06, 0.03),
    "yellow": (0.70, 0.50, 0.06),
    "orange": (0.70, 0.22, 0.03),
    "purple": (0.14, 0.05, 0.22),
}
SKINS: tuple[Colour, ...] = ((0.55, 0.36, 0.27), (0.42, 0.25, 0.17), (0.26, 0.14, 0.085), (0.11, 0.055, 0.035))
HAIRS: tuple[Colour, ...] = ((0.015, 0.012, 0.01), (0.06, 0.035, 0.02), (0.26, 0.17, 0.08), (0.40, 0.39, 0.37))
PLASTERS: tuple[Colour, ...] = (
    (0.62, 0.60, 0.55), (0.58, 0.50, 0.36), (0.55, 0.42, 0.22), (0.38, 0.37, 0.36), (0.52, 0.36, 0.28),
    (0.40, 0.46, 0.40), (0.24, 0.20, 0.17), (0.36, 0.43, 0.50),
)  # fmt: skip
BRICKS: tuple[Colour, ...] = ((0.28, 0.10, 0.065), (0.22, 0.13, 0.085), (0.36, 0.26, 0.17))
LEAVES: tuple[Colour, ...] = (
    (0.035, 0.075, 0.018), (0.055, 0.11, 0.025), (0.09, 0.14, 0.03), (0.20, 0.14, 0.025), (0.025, 0.055, 0.022),
)  # fmt: skip
ROOFS: tuple[Colour, ...] = ((0.26, 0.09, 0.05), (0.13, 0.06, 0.045), (0.055, 0.055, 0.06), (0.18, 0.18, 0.18))
SHOPS: tuple[Colour, ...] = (
    (0.50, 0.04, 0.04), (0.03, 0.10, 0.40), (0.65, 0.48, 0.04), (0.05, 0.25, 0.09), (0.70, 0.70, 0.68),
    (0.02, 0.02, 0.02),
)  # fmt: skip
DOORS: tuple[Colour, ...] = ((0.11, 0.05, 0.025), (0.03, 0.08, 0.05), (0.30, 0.29, 0.27), (0.03, 0.035, 0.05))
FRAMES: tuple[Colour, ...] = ((0.05, 0.05, 0.055), (0.35, 0.03, 0.03), (0.03, 0.10, 0.30), (0.50, 0.50, 0.50))
YARD_PAINTS: dict[str, tuple[Colour, float]] = {
    "white": ((0.66, 0.66, 0.64), 0.55), "grey": ((0.21, 0.215, 0.22), 0.30), "dark": ((0.03, 0.032, 0.035), 0.10),
    "blue": ((0.02, 0.07, 0.24), 0.18), "green": ((0.02, 0.10, 0.055), 0.18), "red": ((0.33, 0.03, 0.025), 0.35),
    "orange": ((0.55, 0.20, 0.02), 0.45), "yellow": ((0.60, 0.42, 0.04), 0.48), "brown": ((0.09, 0.05, 0.03), 0.18),
    "rust": ((0.15, 0.07, 0.04), 0.25),
}  # fmt: skip
BOARDS: dict[str, tuple[Colour, float]] = {
    "reed": ((0.30, 0.23, 0.12), 0.45), "grey": ((0.19, 0.18, 0.16), 0.35), "dark": ((0.05, 0.033, 0.024), 0.18),
    "white": ((0.60, 0.59, 0.56), 0.55),
}  # fmt: skip
COVERS: dict[str, tuple[Colour, float]] = {
    "blue": ((0.03, 0.12, 0.38), 0.30), "green": ((0.03, 0.11, 0.05), 0.25), "grey": ((0.24, 0.25, 0.25), 0.35),
    "white": ((0.62, 0.62, 0.60), 0.55), "black": ((0.02, 0.02, 0.022), 0.10),
}  # fmt: skip
"""Painted sheet metal, boards and tarpaulins that are no vehicle's: linear albedo and LiDAR reflectivity."""


def _ground() -> list[Material]:
    return [
        Material("asphalt", (0.085, 0.085, 0.088), "asphalt", 0.05, 0.16, 3.0, 0.95, class_id=ROAD),
        Material("asphalt_patch", (0.055, 0.055, 0.058), "asphalt", 0.05, 0.12, 3.5, 0.95, class_id=ROAD),
        Material("asphalt_parking", (0.10, 0.098, 0.095), "asphalt", 0.05, 0.18, 2.5, 0.95, class_id=ROAD),
        Material("bike_lane", (0.17, 0.075, 0.06), "asphalt", 0.05, 0.22, 3.0, 0.95, class_id=ROAD),
        Material("marking", (0.55, 0.55, 0.53), "marking", 0.05, 0.75, 2.0, 0.92, class_id=ROAD),
        Material("manhole", (0.06, 0.06, 0.06), "metal", 0.2, 0.25, 1.5, 0.75, class_id=ROAD),
        Material("kerb", (0.27, 0.27, 0.26), "concrete", 0.0, 0.35, 1.5),
        Material("pavement_slabs", (0.22, 0.215, 0.205), "paving", 0.0, 0.32, 2.0),
        Material("pavement_asphalt", (0.11, 0.11, 0.11), "asphalt", 0.0, 0.20, 2.5),
        Material("pavement_brick", (0.20, 0.12, 0.09), "brick", 0.0, 0.32, 2.0),
        Material("grass", (0.065, 0.10, 0.028), "grass", 0.0, 0.45, -1.0, 0.97),
        Material("field", (0.15, 0.14, 0.05), "grass", 0.0, 0.42, 0.0, 0.96),
        Material("dirt", (0.16, 0.12, 0.08), "dirt", 0.0, 0.35, 1.0),
        Material("gravel", (0.22, 0.21, 0.19), "dirt", 0.0, 0.35, 1.5),
    ]


def _buildings() -> list[Material]:
    table = [Material(f"plaster_{i}", c, "plaster", 0.0, 0.5, 1.0) for i, c in enumerate(PLASTERS)]
    table += [Material(f"brick_{i}", c, "brick", 0.0, 0.38, 1.2) for i, c in enumerate(BRICKS)]
    table += [Material(f"facade_{i}", c, "windows", 0.0, 0.45, 1.2) for i, c in enumerate(PLASTERS)]
    table += [Material(f"roof_{i}", c, "roof", 0.0, 0.3, 0.0, 0.92) for i, c in enumerate(ROOFS)]
    table += [Material(f"door_{i}", c, "plain", 0.1, 0.35, 1.0) for i, c in enumerate(DOORS)]
    table += [
        Material(f"shop_{i}", c, "plain", 0.2, 0.4, 0.5, 0.9, (0.4 * c[0], 0.4 * c[1], 0.4 * c[2]))
        for i, c in enumerate(SHOPS)
    ]
    table += [
        Material("concrete", (0.30, 0.29, 0.28), "concrete", 0.0, 0.42, 0.5),
        Material("sandstone", (0.24, 0.13, 0.09), "brick", 0.0, 0.36, 0.8),
        Material("window", (0.03, 0.035, 0.04), "glass", 0.8, 0.08, 1.8, 0.85),
        Material("window_lit", (0.05, 0.05, 0.045), "glass", 0.6, 0.08, 3.0, 0.85, (0.60, 0.42, 0.22)),
        Material("shop_window", (0.05, 0.05, 0.055), "glass", 0.7, 0.08, 2.5, 0.85, (0.42, 0.40, 0.34)),
        Material("frame", (0.68, 0.67, 0.64), "plain", 0.1, 0.5, 0.8),
        Material("shutter", (0.30, 0.29, 0.26), "plain", 0.0, 0.4, 0.8),
        Material("wood", (0.17, 0.10, 0.055), "bark", 0.0, 0.35, 0.5),
        Material("stone_wall", (0.22, 0.19, 0.15), "brick", 0.0, 0.36, 0.5),
        Material("awning", (0.50, 0.20, 0.06), "cloth", 0.0, 0.45, 0.0),
    ]
    return table


def _plants() -> list[Material]:
    table = [Material(f"leaves_{i}", c, "leaves", 0.0, 0.45, -1.5, 0.97) for i, c in enumerate(LEAVES)]
    return [*table, Material("bark", (0.075, 0.055, 0.04), "bark", 0.0, 0.3, -0.5)]


def _furniture() -> list[Material]:
    return [
        Material("steel", (0.28, 0.29, 0.29), "metal", 0.3, 0.4, -0.5, 0.6),
        Material("dark_steel", (0.04, 0.045, 0.04), "metal", 0.3, 0.2, 0.0, 0.85),
        Material("lamp", (0.6, 0.6, 0.55), "plain", 0.2, 0.3, 1.0, 0.9, (6.0, 4.6, 2.8)),
        Material("sign_white", (0.75, 0.75, 0.75), "plain", 0.2, 2.5, 0.0, 0.9),
        Material("sign_red", (0.50, 0.02, 0.02), "plain", 0.2, 2.0, 0.0, 0.9),
        Material("sign_blue", (0.01, 0.08, 0.40), "plain", 0.2, 1.8, 0.0, 0.9),
        Material("sign_yellow", (0.75, 0.50, 0.03), "plain", 0.2, 2.2, 0.0, 0.9),
        Material("signal_red", (0.25, 0.02, 0.02), "plain", 0.3, 0.3, 3.0, 0.9, (3.0, 0.15, 0.1)),
        Material("signal_green", (0.02, 0.25, 0.10), "plain", 0.3, 0.3, 3.0, 0.9, (0.1, 2.6, 1.0)),
        Material("bin", (0.04, 0.045, 0.05), "plain", 0.1, 0.15, 0.5),
        Material("bin_lid", (0.50, 0.36, 0.03), "plain", 0.1, 0.4, 0.5),
        Material("post_red", (0.45, 0.04, 0.03), "plain", 0.1, 1.0, 0.0),
        Material("guard_rail", (0.45, 0.46, 0.46), "metal", 0.4, 0.5, -0.5, 0.5),
    ]


def _vehicles() -> list[Material]:
    table = []
    for name, (colour, reflectivity) in PAINTS.items():
        body = Material(f"paint_{name}", colour, "paint", 0.5, reflectivity, 1.0, 0.88, class_id=VEHICLE)
        table += [body, replace(body, name=f"bonnet_{name}", warmth=11.0)]
    rest = [
        Material("car_glass", (0.015, 0.018, 0.02), "glass", 0.9, 0.05, 1.5, 0.85),
        Material("tyre", (0.02, 0.02, 0.02), "rubber", 0.0, 0.10, 0.5),
        Material("tyre_warm", (0.02, 0.02, 0.02), "rubber", 0.0, 0.10, 12.0),
        Material("rim", (0.38, 0.38, 0.39), "metal", 0.5, 0.45, 0.5, 0.5),
        Material("rim_warm", (0.38, 0.38, 0.39), "metal", 0.5, 0.45, 22.0, 0.6),
        Material("arch", (0.008, 0.008, 0.008), "plain", 0.0, 0.05, 0.5),
        Material("arch_warm", (0.008, 0.008, 0.008), "plain", 0.0, 0.05, 10.0),
        Material("trim", (0.025, 0.025, 0.027), "plain", 0.2, 0.10, 1.0),
        Material("grille_warm", (0.015, 0.015, 0.016), "plain", 0.2, 0.10, 18.0),
        Material("exhaust", (0.15, 0.15, 0.15), "metal", 0.4, 0.3, 1.0, 0.7),
        Material("exhaust_warm", (0.15, 0.15, 0.15), "metal", 0.4, 0.3, 60.0, 0.7),
        Material("headlight", (0.62, 0.63, 0.65), "glass", 0.8, 0.8, 1.0, 0.9),
        Material("headlight_on", (0.72, 0.73, 0.75), "glass", 0.8, 0.8, 8.0, 0.9, (9.0, 8.6, 7.6)),
        Material("taillight", (0.32, 0.012, 0.012), "plain", 0.5, 0.9, 1.0, 0.9),
        Material("taillight_on", (0.48, 0.015, 0.015), "plain", 0.5, 0.9, 4.0, 0.9, (2.2, 0.05, 0.03)),
        Material("indicator", (0.55, 0.20, 0.02), "plain", 0.4, 0.8, 1.0, 0.9),
        Material("plate", (0.70, 0.70, 0.66), "plain", 0.2, 3.0, 0.5, 0.9),
        Material("cargo_white", (0.66, 0.66, 0.64), "plain", 0.2, 0.6, 0.5),
        Material("cargo_grey", (0.30, 0.31, 0.32), "metal", 0.3, 0.4, 0.5, 0.7),
        Material("tarp_blue", (0.02, 0.07, 0.25), "cloth", 0.1, 0.3, 0.5),
        Material("tarp_red", (0.36, 0.025, 0.02), "cloth", 0.1, 0.4, 0.5),
        Material("tarp_green", (0.02, 0.12, 0.06), "cloth", 0.1, 0.3, 0.5),
        Material("saddle", (0.02, 0.02, 0.02), "plain", 0.1, 0.12, 1.0),
        Material("bike_tyre", (0.02, 0.02, 0.02), "rubber", 0.0, 0.12, 2.0),
        Material("reflector", (0.55, 0.04, 0.02), "plain", 0.5, 3.0, 0.0),
    ]
    rest += [Material(f"bike_{i}", c, "paint", 0.4, 0.3, 0.0, 0.85) for i, c in enumerate(FRAMES)]
    return table + [replace(m, class_id=VEHICLE) for m in rest]


def _people() -> list[Material]:
    table = [Material(f"cloth_{n}", c, "cloth", 0.0, 0.15 + 0.5 * max(c) ** 0.5, 6.0) for n, c in CLOTHES.items()]
    table += [Material(f"skin_{i}", c, "skin", 0.1, 0.5, 14.0, 0.98) for i, c in enumerate(SKINS)]
    table += [Material(f"hair_{i}", c, "plain", 0.1, 0.25, 8.0) for i, c in enumerate(HAIRS)]
    table += [
        Material("shoe_dark", (0.025, 0.022, 0.02), "plain", 0.2, 0.15, 2.5),
        Material("shoe_light", (0.50, 0.50, 0.48), "plain", 0.1, 0.5, 2.5),
        Material("bag_dark", (0.03, 0.03, 0.035), "cloth", 0.1, 0.2, 1.0),
        Material("bag_brown", (0.20, 0.10, 0.05), "cloth", 0.1, 0.3, 1.0),
        Material("bag_red", (0.42, 0.05, 0.04), "cloth", 0.1, 0.4, 1.0),
        Material("helmet", (0.60, 0.60, 0.60), "plain", 0.4, 0.5, 3.0),
        Material("hi_vis", (0.62, 0.80, 0.05), "cloth", 0.0, 1.4, 5.0),
    ]
    return [replace(m, class_id=PEDESTRIAN) for m in table]


def _clutter() -> list[Material]:
    table = [Material(f"yard_{n}", c, "paint", 0.2, r, 1.0, 0.92) for n, (c, r) in YARD_PAINTS.items()]
    table += [Material(f"boards_{n}", c, "bark", 0.0, r, 0.5) for n, (c, r) in BOARDS.items()]
    table += [Material(f"cover_{n}", c, "cloth", 0.1, r, 0.0, 0.93) for n, (c, r) in COVERS.items()]
    return table


STREET_MATERIALS: tuple[Material, ...] = (
    *_ground(), *_buildings(), *_plants(), *_furniture(), *_vehicles(), *_people(),
)  # fmt: skip
CLUTTER_MATERIALS: tuple[Material, ...] = tuple(_clutter())
MATERIALS: tuple[Material, ...] = (*STREET_MATERIALS, *CLUTTER_MATERIALS)
"""Every material; a mesh's material indices count into this."""

_INDEX = {m.name: i for i, m in enumerate(MATERIALS)}


def index(name: str) -> int:
    """Index of the material called `name` in MATERIALS. KeyError for an unknown name."""
    return _INDEX[name]


def varied(rng: np.random.Generator, materials: Sequence[Material] = MATERIALS) -> list[Material]:
    """The same table with another street's looks: lighter or darker, tinted, brighter or duller to the LiDAR."""
    count = len(materials)
    brightness = np.exp(rng.normal(0.0, 0.16, (count, 1)))
    tint = np.exp(rng.normal(0.0, 0.05, (count, 3)))
    shine = np.exp(rng.normal(0.0, 0.12, count))
    warmth = 1.0 + rng.normal(0.0, 0.15, count)
    road_age = np.exp(rng.normal(0.1, 0.35))
    result = []
    for i, material in enumerate(materials):
        age = road_age if material.texture == "asphalt" else 1.0
        albedo = np.clip(np.array(material.albedo) * brightness[i] * tint[i] * age, 0.004, 0.85)
        red, green, blue = (float(v) for v in albedo)
        result.append(
            replace(
                material,
                albedo=(red, green, blue),
                reflectivity=float(material.reflectivity * shine[i]),
                warmth=float(material.warmth * warmth[i]),
            )
        )
    return result
