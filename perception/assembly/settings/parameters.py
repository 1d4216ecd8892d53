# SPDX-License-Identifier: Apache-2.0
"""The node's parameters: one table that declares, describes, bounds and checks them, and the `Settings` they make.

Only `declare` and `describe` need rclpy; the table itself does not.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.assembly.lidar_names import MOST, lidar_names, modality_of
from perception.assembly.own_vehicle import BOX, OwnVehicle, check_box
from perception.assembly.pairing import PAIRINGS, Timing
from perception.assembly.statistics import Limits
from perception.engines import ENGINES
from perception.engines.family import AUTO
from perception.messages.cameras import RECTIFIED
from perception.messages.clouds import Reading
from perception.registry import Registry, import_modules, load
from perception.rigid import rigid_fault
from perception.sensors.point_times import STAMPS
from perception.sensors.presence import REPEATS
from perception.sensors.spec import FURTHER, SPECS

MAX_CELLS = 4000
"""The most cells of ~/grid in each direction: 16 MB."""

_ROS_OWN = ("use_sim_time", "start_type_description_service", "qos_overrides.")
"""Parameters that rclpy declares itself."""


@dataclass(frozen=True)
class Parameter:
    """One row of the table.

    default: also gives the type; a tuple is a list of floats, or of texts. range: (lowest, highest).
    live: takes effect at once; otherwise at the next configure. choices: the values allowed, for text. registry: also
    allows the values that were registered from outside; their module is imported when such a value is given.
    """

    name: str
    default: bool | int | float | str | tuple[float, ...] | tuple[str, ...]
    description: str
    range: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    registry: Registry[Any] | None = None
    live: bool = False
    read_only: bool = False


_OF_ONE_SENSOR: dict[str, tuple[Parameter, ...]] = {
    "infrared": (
        Parameter(
            "infrared.distance_m",
            20.0,
            "Distance at which an infrared camera beside the RGB camera is registered exactly [m].",
            range=(0.5, 1000.0),
            live=True,
        ),
    ),
    "lidar": (
        Parameter(
            "lidar.intensity_max",
            0.0,
            "The LiDAR intensity that means 1; 0 learns it from the cloud's type and its first sweeps.",
            range=(0.0, 65535.0),
            live=True,
        ),
        Parameter(
            "lidar.stamp",
            "middle",
            "Where in a sweep its stamp lies, for points without a time: drivers stamp either end (Ouster, Hesai and "
            "Livox the start, Velodyne and RoboSense the end), and the middle is never off by more than half a sweep.",
            choices=STAMPS,
            live=True,
        ),
        Parameter(
            "lidar.sweep_s",
            0.1,
            "How long a sweep takes, for points without a time [s].",
            range=(0.001, 0.5),
            live=True,
        ),
        Parameter(
            "lidar.extra_topics",
            ("",),
            "Topics of further LiDARs, called lidar2, lidar3 …, which TF places. The settings of lidar apply to every "
            "LiDAR.",
        ),
    ),
}
"""What only one sensor has."""


def _per_sensor() -> list[Parameter]:
    rows = []
    for sensor, spec in SPECS.items():
        where = ", if the network has channels for it" if sensor in FURTHER else ""
        rows.append(Parameter(f"{sensor}.enabled", True, f"Listen to the {spec.noun}{where}."))
        rows.append(
            Parameter(
                f"{sensor}.timeout_s",
                spec.timeout_s,
                f"Silence after which the {spec.noun} is left out until it returns [s].",
                range=(0.05, 60.0),
                live=True,
            )
        )
        rows.append(
            Parameter(
                f"{sensor}.offset_s",
                0.0,
                f"Added to the stamps of the {spec.noun} to get the instant at which it measured [s].",
                range=(-1.0, 1.0),
                live=True,
            )
        )
        rows += _OF_ONE_SENSOR.get(sensor, ())
    return rows


PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "model",
        AUTO,
        "Weights: the name of a shipped model, or a path; with @0.7 behind it at 0.7 of the resolution, with @1x2 "
        "looking twice. auto times the shipped ones on this machine, takes the most accurate that holds the camera's "
        "rate, and a quicker one while frames are left out.",
    ),
    Parameter(
        "rate_hz",
        0.0,
        "The camera's rate that a model of auto must hold [Hz]; 0 takes 10 at first, and then what comes.",
        range=(0.0, 240.0),
        live=True,
    ),
    Parameter(
        "imports",
        ("",),
        "Python modules to import first, which register engines or sensors of your own; empty for none.",
        read_only=True,
    ),
    Parameter(
        "engine",
        "auto",
        "What runs the network; auto takes the fastest that is installed.",
        choices=("auto", *ENGINES.so_far()),
        registry=ENGINES,
    ),
    Parameter(
        "threads",
        0,
        "CPU threads of the node; from 4 on, one of them works beside the network; 0 for all cores, or for "
        "its part of them where a rig's cameras have processes of their own.",
        range=(0, 256),
    ),
    Parameter(
        "steady",
        False,
        "Average each frame's labels with those of the frames before, along the motion of the image: half the flicker, "
        "and a class that appears may come a frame later.",
    ),
    Parameter("autostart", True, "Configure and activate at start, without a lifecycle manager.", read_only=True),
    Parameter(
        "tolerance_s",
        0.05,
        "Largest difference between the stamps of messages that belong together [s].",
        range=(0.001, 1.0),
        live=True,
    ),
    Parameter(
        "wait_s",
        0.25,
        "Longest wait for the other sensors after the trigger's message came; each is waited for only as long as it "
        "usually takes [s].",
        range=(0.0, 1.0),
        live=True,
    ),
    Parameter(
        "pairing",
        "completeness",
        "Whether a frame waits for the nearest message of each sensor, at most wait_s, or for 8 ms at most: freshness "
        "takes an older sweep where motion_compensation can move it.",
        choices=PAIRINGS,
        live=True,
    ),
    Parameter(
        "reach_s",
        0.3,
        "How much older than the image a sweep may be where pairing is freshness [s].",
        range=(0.0, 1.0),
        live=True,
    ),
    Parameter(
        "max_age_s",
        2.0,
        "Greatest age of published masks, from the trigger's arrival; older ones are only counted; 0 for any [s].",
        range=(0.0, 60.0),
        live=True,
    ),
    Parameter(
        "hang_timeout_s",
        10.0,
        "Time at one frame after which a step counts as hung, and worker and engine start anew [s]; more for engines "
        "that build for long at a new image size, such as tensorrt.",
        range=(1.0, 3600.0),
        live=True,
    ),
    *_per_sensor(),
    Parameter(
        "calibration_file",
        "",
        "Camera and LiDAR extrinsics if there is no camera_info or TF: a KITTI calibration folder, or YAML.",
    ),
    Parameter(
        "image_rectified",
        "auto",
        "Whether images are rectified; auto asks camera_info and topic. Others are rectified here; labels are not.",
        choices=RECTIFIED,
        live=True,
    ),
    Parameter(
        "lidar_to_camera",
        (0.0,) * 16,
        "LiDAR frame to optical frame, used last: a 4×4 matrix, row by row, as 16 numbers; zeros for none.",
    ),
    Parameter(
        "ground_frame",
        "base_footprint",
        "Frame on the ground, z up, from which TF gives the camera's mounting; empty to use only the fitted ground.",
    ),
    Parameter(
        "vehicle.frame",
        "",
        "The frame of vehicle.box, x forward, y left, z up, such as base_link; empty for the LiDAR's own.",
        live=True,
    ),
    Parameter(
        "vehicle.box",
        BOX,
        "From and to in x, y and z [m]: LiDAR points inside are on the vehicle itself and left out. The default covers "
        "half a metre around the LiDAR; give the vehicle's outline; zeros for none.",
        live=True,
    ),
    Parameter(
        "infrared_polarity",
        "white-hot",
        "Whether warm objects are bright or dark in infrared images.",
        choices=("white-hot", "black-hot"),
        live=True,
    ),
    Parameter(
        "motion_compensation",
        True,
        "Deskew sweeps and move them to the instant of the image by the speeds on the topic odometry, else by TF.",
    ),
    Parameter(
        "imu_topic",
        "",
        "Topic of a sensor_msgs/Imu whose angular rates are used if neither odometry nor TF has the motion; empty for "
        "none. An IMU gives rotation only.",
    ),
    Parameter(
        "fixed_frame", "odom", "Frame in which TF gives the vehicle's position; empty to take no motion from TF."
    ),
    Parameter(
        "check_extrinsics",
        True,
        "Once a second, compare the sweep's edges with the image's and warn if they do not fit.",
        live=True,
    ),
    Parameter(
        "frozen_after",
        REPEATS,
        "Repeats in a row of the same content under new stamps after which a sensor is left out; 0 for never, as for "
        "simulators without noise.",
        range=(0, 1000),
        live=True,
    ),
    Parameter(
        "publish_labels",
        True,
        "Publish ~/labels, the class of every pixel, and ~/labels/compressed with a subscriber.",
        live=True,
    ),
    Parameter(
        "publish_masks",
        True,
        "Publish a mask of each class that the network knows: ~/road, ~/vehicle and ~/pedestrian; with a subscriber "
        "also as PNG.",
        live=True,
    ),
    Parameter("publish_confidence", True, "Publish ~/confidence.", live=True),
    Parameter(
        "publish_overlay",
        True,
        "Publish ~/overlay, ~/overlay/compressed and ~/overlay/annotations with a subscriber.",
        live=True,
    ),
    Parameter("publish_points", True, "Publish ~/points, the labelled sweep, with a subscriber.", live=True),
    Parameter(
        "publish_grid",
        True,
        "Publish ~/grid and ~/road_grid, road and obstacles from above, with a subscriber.",
        live=True,
    ),
    Parameter(
        "publish_explanation",
        False,
        "Publish ~/explanation, a figure that explains a prediction, every few seconds with a subscriber; needs the "
        "extra train.",
        live=True,
    ),
    Parameter(
        "grid.frame",
        "base_link",
        "The frame of ~/grid, z up; the LiDAR's own if it is empty or unknown to TF.",
        live=True,
    ),
    Parameter("grid.resolution_m", 0.25, "Size of a cell of ~/grid [m].", range=(0.02, 5.0), live=True),
    Parameter("grid.size_m", 60.0, "Length and width of ~/grid [m].", range=(1.0, 300.0), live=True),
    Parameter(
        "grid.lowest_m",
        -1.0,
        "Lowest height above the ground of points in ~/grid [m]: excludes reflections from wet roads, but allows "
        "for a road that descends.",
        range=(-20.0, 5.0),
        live=True,
    ),
    Parameter(
        "grid.highest_m",
        2.5,
        "Greatest height above the ground of points in ~/grid [m]: excludes leaves, bridges and wires; at least "
        "the vehicle's height. Without a known ground, every point is in the grid.",
        range=(0.0, 50.0),
        live=True,
    ),
    Parameter(
        "warn.latency_ms",
        200.0,
        "Latency in the 95th percentile, from the trigger's message to its masks, above which diagnostics warn [ms].",
        range=(1.0, 60000.0),
        live=True,
    ),
    Parameter(
        "warn.share",
        0.95,
        "Share of the frames, of those that its rate allows, below which a sensor is a warning.",
        range=(0.0, 1.0),
        live=True,
    ),
    Parameter(
        "warn.answered",
        0.8,
        "Share of the trigger's messages that are answered below which the node does not keep up.",
        range=(0.0, 1.0),
        live=True,
    ),
    Parameter("overlay_alpha", 0.5, "How strongly the colours cover the image.", range=(0.0, 1.0), live=True),
)
"""Every parameter of the node, in the order in which it is documented."""

BY_NAME: dict[str, Parameter] = {parameter.name: parameter for parameter in PARAMETERS}


@dataclass(frozen=True)
class Settings:
    """The parameters' values, checked. None stands for: empty text, model auto, 0 threads or Hz, a matrix not set."""

    model: str | None
    rate_hz: float | None
    engine: str
    threads: int | None
    steady: bool
    autostart: bool
    sensors: tuple[str, ...]
    timing: Timing
    max_age_s: float
    limits: Limits
    hang_timeout: float
    reading: Reading
    lidar_topics: Mapping[str, str]
    infrared_distance: float
    calibration_file: str | None
    image_rectified: str
    lidar_to_camera: NDArray[np.float64] | None
    ground_frame: str
    vehicle: OwnVehicle
    black_hot: bool
    motion_compensation: bool
    imu_topic: str | None
    fixed_frame: str
    check_extrinsics: bool
    frozen_after: int
    publish_labels: bool
    publish_masks: bool
    publish_confidence: bool
    publish_overlay: bool
    publish_points: bool
    publish_grid: bool
    publish_explanation: bool
    grid_frame: str
    grid_resolution_m: float
    grid_size_m: float
    grid_lowest_m: float
    grid_highest_m: float
    overlay_alpha: float


def make_settings(values: Mapping[str, Any]) -> Settings:
    """Settings from values by parameter name, defaults for the rest. Raises ValueError naming the parameter."""
    value = {row.name: values.get(row.name, row.default) for row in PARAMETERS}
    for name in value:
        reason = check(name, value[name])
        if reason:
            raise ValueError(reason)
    sensors = tuple(name for name in SPECS if value[f"{name}.enabled"])
    if not sensors:
        raise ValueError("all sensors are disabled: enable at least one of " + ", ".join(SPECS))
    cells = value["grid.size_m"] / value["grid.resolution_m"]
    if cells > MAX_CELLS:
        raise ValueError(
            f"grid.size_m / grid.resolution_m: {cells:.0f} cells each way are more than {MAX_CELLS}; take larger cells"
        )
    if not value["grid.lowest_m"] < value["grid.highest_m"]:
        raise ValueError(
            f"grid.lowest_m / grid.highest_m: no height is from {value['grid.lowest_m']:g} to "
            f"{value['grid.highest_m']:g} m; the lowest must be lower than the highest"
        )
    matrix = value["lidar_to_camera"]
    extra_topics = [topic for topic in value["lidar.extra_topics"] if topic] if value["lidar.enabled"] else []
    if len(extra_topics) >= MOST:
        raise ValueError(f"lidar.extra_topics: {len(extra_topics)} topics, expected {MOST - 1} at most")
    _, *extra = lidar_names(1 + len(extra_topics))
    timed = {*SPECS, *lidar_names(MOST)}  # all possible sensors: the enabled ones change more often than the times
    return Settings(
        model=None if value["model"] in ("", AUTO) else value["model"],
        rate_hz=value["rate_hz"] or None,
        engine=value["engine"],
        threads=value["threads"] or None,
        steady=value["steady"],
        autostart=value["autostart"],
        sensors=(*sensors, *extra),
        timing=Timing(
            tolerance_s=value["tolerance_s"],
            wait_s=value["wait_s"],
            timeouts_s={name: value[f"{modality_of(name)}.timeout_s"] for name in timed},
            offsets_s={name: value[f"{modality_of(name)}.offset_s"] for name in timed},
            pairing=value["pairing"],
            reach_s=value["reach_s"],
        ),
        max_age_s=value["max_age_s"],
        limits=Limits(value["warn.latency_ms"], value["warn.share"], value["warn.answered"]),
        hang_timeout=value["hang_timeout_s"],
        reading=Reading(value["lidar.intensity_max"], value["lidar.stamp"], round(value["lidar.sweep_s"] * 1e9)),
        lidar_topics=dict(zip(extra, extra_topics, strict=True)),
        infrared_distance=value["infrared.distance_m"],
        calibration_file=value["calibration_file"] or None,
        image_rectified=value["image_rectified"],
        lidar_to_camera=np.array(matrix, np.float64).reshape(4, 4) if np.any(matrix) else None,
        ground_frame=value["ground_frame"],
        vehicle=OwnVehicle(value["vehicle.frame"], tuple(value["vehicle.box"])),
        black_hot=value["infrared_polarity"] == "black-hot",
        motion_compensation=value["motion_compensation"],
        imu_topic=value["imu_topic"] or None,
        fixed_frame=value["fixed_frame"],
        check_extrinsics=value["check_extrinsics"],
        frozen_after=value["frozen_after"],
        publish_labels=value["publish_labels"],
        publish_masks=value["publish_masks"],
        publish_confidence=value["publish_confidence"],
        publish_overlay=value["publish_overlay"],
        publish_points=value["publish_points"],
        publish_grid=value["publish_grid"],
        publish_explanation=value["publish_explanation"],
        grid_frame=value["grid.frame"],
        grid_resolution_m=value["grid.resolution_m"],
        grid_size_m=value["grid.size_m"],
        grid_lowest_m=value["grid.lowest_m"],
        grid_highest_m=value["grid.highest_m"],
        overlay_alpha=value["overlay_alpha"],
    )


def check(name: str, value: Any) -> str | None:
    """Why the parameter cannot have this value; None if it can."""
    row = BY_NAME[name]
    if row.choices and value not in row.choices and value not in (row.registry or ()):
        known = dict.fromkeys((*row.choices, *(row.registry or ())))
        return f"{name}: '{value}' is unknown; take one of {', '.join(known)}"
    if row.range is not None:
        low, high = row.range
        if not math.isfinite(value) or not low <= value <= high:
            return f"{name}: {value} is outside {low:g} to {high:g}"
    if name == "vehicle.box":
        return check_box(name, value)
    if name == "lidar_to_camera" and np.any(value):
        return check_rigid(name, value)
    return None


def check_rigid(name: str, value: Sequence[float]) -> str | None:
    """Why these numbers, a matrix row by row, are not a rigid transform; None if they are."""
    if len(value) != 16:
        return f"{name}: {len(value)} numbers, expected 16 (a 4×4 matrix, row by row)"
    fault = rigid_fault(np.array(value, np.float64).reshape(4, 4))
    return f"{name}: no rigid transform: {fault}" if fault else None


def declare(node: Any) -> Settings:
    """Declare every parameter on an rclpy node, with description and range, and return their values.

    The modules in `imports` are imported before they are read. Raises ValueError if the values given at start do not
    fit, and PerceptionError for a module that cannot be imported; rclpy raises its own errors for a wrong type
    or a value out of range.
    """
    for row in PARAMETERS:
        default = list(row.default) if isinstance(row.default, tuple) else row.default
        node.declare_parameter(row.name, default, describe(row))
    import_modules(filter(None, node.get_parameter("imports").value))
    load("sensors")
    return read(node)


def unknown(given: Iterable[str]) -> list[str]:
    """One line for each given parameter name that is not declared, with the nearest declared name."""
    ours = [name for name in given if name not in BY_NAME and not name.startswith(_ROS_OWN)]
    lines = []
    for name in ours:
        near = difflib.get_close_matches(name, BY_NAME, n=1)
        lines.append(f"parameter '{name}' is unknown and ignored" + (f"; did you mean '{near[0]}'?" if near else ""))
    return lines


def read(node: Any, changes: Mapping[str, Any] | None = None) -> Settings:
    """The settings that the node has, or would have with `changes`. Raises ValueError if they do not fit."""
    values = {row.name: node.get_parameter(row.name).value for row in PARAMETERS}
    return make_settings({**values, **(changes or {})})


def describe(row: Parameter) -> Any:
    """The rcl_interfaces ParameterDescriptor of one row."""
    from rcl_interfaces.msg import FloatingPointRange, IntegerRange, ParameterDescriptor

    descriptor = ParameterDescriptor(description=row.description, read_only=row.read_only)
    constraints = [f"One of {', '.join(row.choices)}."] if row.choices else []
    if not row.live and not row.read_only:
        constraints.append("Takes effect at the next configure.")
    descriptor.additional_constraints = " ".join(constraints)
    if row.range is not None and isinstance(row.default, int):
        low, high = row.range
        descriptor.integer_range = [IntegerRange(from_value=int(low), to_value=int(high), step=0)]
    elif row.range is not None:
        low, high = row.range
        descriptor.floating_point_range = [FloatingPointRange(from_value=float(low), to_value=float(high))]
    return descriptor
