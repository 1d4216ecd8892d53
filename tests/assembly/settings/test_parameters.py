# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import yaml

from perception.assembly.settings import parameters
from perception.assembly.settings.parameters import PARAMETERS, check, make_settings
from perception.paths import config_path
from perception.sensors.spec import SPECS

FORWARD_CAMERA = [0.0, -1.0, 0.0, 0.1, 0.0, 0.0, -1.0, 0.2, 1.0, 0.0, 0.0, 0.3, 0.0, 0.0, 0.0, 1.0]


def flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    items: dict[str, Any] = {}
    for name, value in tree.items():
        items |= flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return items


def test_defaults_are_within_their_own_bounds() -> None:
    settings = make_settings({})
    assert settings.model is None
    assert settings.threads is None
    assert settings.lidar_to_camera is None
    assert settings.sensors == tuple(SPECS)
    assert all(row.description.endswith(".") for row in PARAMETERS)


def test_the_parameter_file_states_every_default() -> None:
    content = yaml.safe_load(config_path("node/default.yaml").read_text())
    defaults = {row.name: list(row.default) if isinstance(row.default, tuple) else row.default for row in PARAMETERS}
    assert flat(content["/**"]["ros__parameters"]) == defaults


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("engine", "abacus"),
        ("threads", -1),
        ("tolerance_s", 0.0),
        ("wait_s", float("nan")),
        ("overlay_alpha", 1.5),
        ("rgb.timeout_s", 0.0),
        ("vehicle.box", [0.0] * 5),
        ("vehicle.box", [1.0, -1.0, 0.0, 0.0, 0.0, 0.0]),
        ("vehicle.box", [float("nan")] * 6),
        ("lidar_to_camera", [1.0] * 15),
        ("lidar_to_camera", [1.0] * 16),
        ("lidar_to_camera", [float("nan")] * 16),
        ("lidar_to_camera", list(np.diag([1.0, 1.0, -1.0, 1.0]).ravel())),
    ],
)
def test_impossible_values_are_refused_by_name(name: str, value: Any) -> None:
    reason = check(name, value)
    assert reason is not None
    assert reason.startswith(f"{name}: ")
    with pytest.raises(ValueError, match=f"^{name}: "):
        make_settings({name: value})


def test_a_matrix_and_disabled_sensors_arrive() -> None:
    settings = make_settings({"lidar_to_camera": FORWARD_CAMERA, "depth.enabled": False, "infrared.enabled": False})
    assert settings.lidar_to_camera is not None
    np.testing.assert_array_equal(settings.lidar_to_camera[:3, 3], [0.1, 0.2, 0.3])
    assert settings.sensors == ("rgb", "lidar", "radar")


def test_further_lidars_are_sensors_with_the_times_of_the_first() -> None:
    settings = make_settings(
        {"lidar.extra_topics": ["", "/left", "/right"], "lidar.timeout_s": 2.0, "lidar.stamp": "end"}
    )
    assert settings.sensors == (*SPECS, "lidar2", "lidar3")
    assert settings.lidar_topics == {"lidar2": "/left", "lidar3": "/right"}
    assert settings.timing.timeouts_s["lidar3"] == 2.0
    assert (settings.reading.stamp, settings.reading.length_ns) == ("end", 100_000_000)
    assert make_settings({"lidar.extra_topics": ["/left"], "lidar.enabled": False}).lidar_topics == {}
    with pytest.raises(ValueError, match=r"^lidar.extra_topics: 9 topics, expected 8 at most"):
        make_settings({"lidar.extra_topics": ["/left"] * 9})


def test_a_grid_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^grid.size_m / grid.resolution_m: 15000 cells"):
        make_settings({"grid.size_m": 300.0, "grid.resolution_m": 0.02})


def test_a_grid_of_no_height_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^grid.lowest_m / grid.highest_m: no height is from 3 to 2.5 m"):
        make_settings({"grid.lowest_m": 3.0})


def test_no_sensor_at_all_is_refused() -> None:
    with pytest.raises(ValueError, match="all sensors are disabled"):
        make_settings({f"{name}.enabled": False for name in SPECS})


def test_mistyped_names_are_said_with_the_nearest() -> None:
    lines = parameters.unknown(["thread", "model", "use_sim_time", "qos_overrides./tf.depth", "zzz"])
    assert lines == [
        "parameter 'thread' is unknown and ignored; did you mean 'threads'?",
        "parameter 'zzz' is unknown and ignored",
    ]


@pytest.fixture
def ros_context() -> Iterator[Any]:
    rclpy = pytest.importorskip("rclpy")
    context = rclpy.Context()
    rclpy.init(context=context)
    yield context
    rclpy.shutdown(context=context)


def test_declared_with_description_and_range(ros_context: Any) -> None:
    from rclpy.exceptions import InvalidParameterValueException
    from rclpy.node import Node
    from rclpy.parameter import Parameter

    node = Node("declares", context=ros_context, parameter_overrides=[Parameter("threads", value=2)])
    settings = parameters.declare(node)
    assert settings.threads == 2
    descriptor = node.describe_parameter("tolerance_s")
    assert descriptor.description.startswith("Largest difference")
    assert descriptor.floating_point_range[0].to_value == 1.0
    assert node.describe_parameter("autostart").read_only
    result = node.set_parameters([Parameter("overlay_alpha", value=2.0)])[0]
    assert not result.successful
    assert "range" in result.reason
    node.destroy_node()

    with pytest.raises(InvalidParameterValueException, match="out of range"):
        parameters.declare(Node("refuses", context=ros_context, parameter_overrides=[Parameter("threads", value=1000)]))
