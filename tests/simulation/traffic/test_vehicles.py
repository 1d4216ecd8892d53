# SPDX-License-Identifier: Apache-2.0
import numpy as np
import pytest

from perception.classes import VEHICLE
from perception.simulation.things.materials import MATERIALS, index
from perception.simulation.traffic.vehicles import ALL_BODIES, CAR_FREQUENCY, kind_of, length_of, vehicle


@pytest.mark.parametrize("body", ALL_BODIES)
def test_body_stands_on_the_road_and_has_a_plausible_size(body: str) -> None:
    mesh = vehicle(body, "blue", True)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[2] == pytest.approx(0.0, abs=0.01)
    assert abs(low[0] + high[0]) < 0.5
    assert 3.4 < high[0] - low[0] < 16.0
    assert 1.6 < high[1] - low[1] < 3.1
    assert 1.4 < high[2] < 4.1
    assert length_of(body) == pytest.approx(high[0] - low[0])
    assert len(mesh.triangles) < 2500


@pytest.mark.parametrize("body", ALL_BODIES)
def test_body_has_what_makes_a_vehicle(body: str) -> None:
    mesh = vehicle(body, "red", False)
    names = {MATERIALS[m].name for m in mesh.materials}
    assert {"paint_red", "car_glass", "tyre", "rim", "headlight", "taillight", "plate"} <= names
    assert all(MATERIALS[m].class_id == VEHICLE for m in mesh.materials)


@pytest.mark.parametrize("body", CAR_FREQUENCY)
def test_tail_lights_and_windows_can_be_seen_from_behind(body: str) -> None:
    o3d = pytest.importorskip("open3d", exc_type=ImportError)
    mesh = vehicle(body, "white", False)
    scene = o3d.t.geometry.RaycastingScene()
    scene.add_triangles(o3d.core.Tensor(mesh.vertices), o3d.core.Tensor(mesh.triangles))
    y, z = np.meshgrid(np.arange(-1.0, 1.0, 0.02), np.arange(0.1, 2.4, 0.02))
    rays = np.stack([0 * y - 10, y, z, 0 * y + 1, 0 * y, 0 * y], axis=-1).astype(np.float32)
    hit = scene.cast_rays(o3d.core.Tensor(rays))["primitive_ids"].numpy()
    seen = mesh.materials[hit[hit < len(mesh.triangles)]]
    assert np.count_nonzero(seen == index("taillight")) > 40
    assert np.count_nonzero(seen == index("plate")) > 40


def test_driving_is_warm_and_braking_shows() -> None:
    warm, cold = (vehicle("saloon", "grey", moving) for moving in (True, False))
    assert max(MATERIALS[m].warmth for m in warm.materials) > 20.0
    assert max(MATERIALS[m].warmth for m in cold.materials) < 3.0
    braking = vehicle("saloon", "grey", True, braking=True)
    assert index("taillight_on") in braking.materials
    assert index("taillight_on") not in warm.materials
    assert index("headlight_on") in vehicle("saloon", "grey", True, lights=True).materials


def test_same_arguments_give_the_same_object() -> None:
    assert vehicle("suv", "black", True) is vehicle("suv", "black", True)


def test_kinds() -> None:
    assert [kind_of(b) for b in ("suv", "panel_van", "semi", "bus")] == ["car", "van", "truck", "bus"]
