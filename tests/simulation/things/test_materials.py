# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.classes import BACKGROUND, PEDESTRIAN, ROAD, VEHICLE
from perception.simulation.street.surface import MaterialTable
from perception.simulation.things.materials import MATERIALS, PAINT_FREQUENCY, PAINTS, index, varied
from perception.simulation.things.textures import PATTERNS


def test_names_are_unique_and_known_by_index() -> None:
    assert len({m.name for m in MATERIALS}) == len(MATERIALS)
    assert all(index(m.name) == i for i, m in enumerate(MATERIALS))
    with pytest.raises(KeyError):
        index("unobtainium")


def test_every_texture_can_be_drawn() -> None:
    assert {m.texture for m in MATERIALS} <= set(PATTERNS)


@pytest.mark.parametrize(
    ("name", "class_id"),
    [
        ("asphalt", ROAD), ("marking", ROAD), ("manhole", ROAD), ("bike_lane", ROAD), ("kerb", BACKGROUND),
        ("pavement_asphalt", BACKGROUND), ("paint_red", VEHICLE), ("tyre_warm", VEHICLE), ("bike_0", VEHICLE),
        ("cloth_jeans", PEDESTRIAN), ("skin_0", PEDESTRIAN), ("helmet", PEDESTRIAN), ("leaves_0", BACKGROUND),
    ],
)  # fmt: skip
def test_classes(name: str, class_id: int) -> None:
    assert MATERIALS[index(name)].class_id == class_id


def test_values_are_physical() -> None:
    for material in MATERIALS:
        assert all(0.0 <= c <= 0.9 for c in material.albedo), material
        assert 0.0 <= material.specular <= 1.0, material
        assert 0.3 <= material.emissivity <= 1.0, material
        assert material.reflectivity > 0.0, material
    assert MATERIALS[index("plate")].reflectivity > 1.0
    assert MATERIALS[index("skin_0")].warmth > MATERIALS[index("cloth_red")].warmth > 0.0
    assert MATERIALS[index("bonnet_red")].warmth > MATERIALS[index("paint_red")].warmth


def test_paint_frequencies_cover_the_paints() -> None:
    assert set(PAINT_FREQUENCY) == set(PAINTS)
    assert sum(PAINT_FREQUENCY.values()) == pytest.approx(1.0, abs=0.01)


def test_varied_changes_looks_only() -> None:
    one, same, other = (varied(np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one == same
    assert one != other
    for material, original in zip(one, MATERIALS, strict=True):
        assert (material.name, material.class_id, material.texture) == (
            original.name,
            original.class_id,
            original.texture,
        )
        assert all(0.0 < c < 1.0 for c in material.albedo)


def test_a_bicycle_lane_is_no_bicycle() -> None:
    bicycles = {MATERIALS[i].name for i in np.flatnonzero(MaterialTable(MATERIALS).bicycle)}
    assert {"bike_0", "bike_tyre"} <= bicycles
    assert "bike_lane" not in bicycles
