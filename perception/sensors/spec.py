# SPDX-License-Identifier: Apache-2.0
"""The one table of sensors: names, messages, data, encoding, simulation and disturbances of each.

Every list of sensors, channels, topics and colours elsewhere is made from it, or compared with it by a test. Functions
are given by name and imported when they are first called (`Late`), since many of them are in higher layers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from itertools import combinations
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from perception.errors import ModelError
from perception.frame import MODALITIES, Frame, Returns
from perception.ground import Ground
from perception.sensors.projection import Projection

P = ParamSpec("P")
T = TypeVar("T")

_IMAGE, _COMPRESSED = "sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"
_CLOUD = "sensor_msgs/msg/PointCloud2"


@dataclass(frozen=True)
class Late(Generic[P, T]):
    """A function by its place, "module:name". Calling it imports the module: naming it does not."""

    place: str

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """Call the function."""
        return self.function(*args, **kwargs)

    @property
    def function(self) -> Callable[P, T]:
        """The function itself."""
        return _find(self.place)


@cache
def _find(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)


class Scene(NamedTuple):
    """The input of a sensor's channels.

    projection: the pixels of the LiDAR's points; None without. by_lidar, by_depth: the ground that each measured.
    """

    frame: Frame
    projection: Projection | None = None
    by_lidar: Ground | None = None
    by_depth: Ground | None = None


@dataclass(frozen=True)
class SensorSpec:
    """One sensor.

    title, noun: in figures and in sentences. colour: in figures, #rrggbb. field: of `Frame` that has its data; None
    for a sensor in `Frame.extra`.
    channels: names of the network's, in their order; none for RGB, which has its own branch.
    code: a `Scene` that has the sensor, width, height → (channels, height, width) uint8. measures: it measures
    distances, and is encoded with the ground; the others are encoded at the same time, in a separate thread.
    dull: a frame that has the sensor → why it has no information, None if it has.

    topics: inputs of the node, each with its message type: uncompressed, then compressed. camera_info: the input with
    its camera's calibration. reliable, depth: the quality of service of its subscriptions. timeout_s: default silence
    after which it is left out. rank: as a trigger, 0 is preferred. movable: its messages can be moved to another
    instant. fields, read: for a sensor in `Frame.extra`: the fields of its PointCloud2; and a function of columns by
    field, its pose in the camera's frame and its velocity → `Returns`.
    and its velocity → `Returns`.

    lose, speckle: for robustness evaluation, functions of the sensor's data, a share and random numbers → data of which
    that share is lost, or extreme. faults: class of its disturbances in training, whose settings are its arguments;
    None without. simulate: what simulates it; for a sensor in `Frame.extra`, `simulation.surroundings.Surroundings` →
    `Returns`.
    """

    name: str
    title: str
    noun: str
    colour: str
    field: str | None
    channels: tuple[str, ...]
    code: Late[[Scene, int, int], NDArray[np.uint8]] | None
    measures: bool
    dull: Late[[Frame], str | None]
    topics: Mapping[str, str]
    camera_info: str | None
    rank: int
    lose: Late[[Any, float, np.random.Generator], Any]
    speckle: Late[[Any, float, np.random.Generator], Any]
    simulate: Late[..., Any]
    faults: Late[..., Any] | None = None
    fields: tuple[str, ...] = ()
    read: Late[[Mapping[str, NDArray[Any]], NDArray[np.float64], NDArray[np.float64] | None], Returns] | None = None
    movable: bool = False
    timeout_s: float = 0.5
    reliable: bool = False
    depth: int = 1


_DULL, _RADAR = "perception.sensors.presence", "perception.sensors.radar"
_DAMAGE = "perception.evaluation.robustness.damage"

_TABLE = (
    SensorSpec(
        name="rgb",
        title="camera",
        noun="camera",
        colour="#2a9d5c",
        field="rgb",
        channels=(),
        code=None,
        measures=False,
        dull=Late(f"{_DULL}:dull_rgb"),
        topics={"image": _IMAGE, "image/compressed": _COMPRESSED},
        camera_info="camera_info",
        rank=0,
        lose=Late(f"{_DAMAGE}:lose_colours"),
        speckle=Late(f"{_DAMAGE}:speckle_colours"),
        simulate=Late("perception.simulation.optics.film:develop"),
    ),
    SensorSpec(
        name="depth",
        title="depth",
        noun="depth camera",
        colour="#3d7bd9",
        field="depth",
        channels=("log depth", "height", "valid"),
        code=Late("perception.sensors.channels:code_depth"),
        measures=True,
        dull=Late(f"{_DULL}:dull_depth"),
        topics={"depth": _IMAGE, "depth/compressedDepth": _COMPRESSED},
        camera_info="depth/camera_info",
        rank=3,
        lose=Late(f"{_DAMAGE}:lose_depth"),
        speckle=Late(f"{_DAMAGE}:speckle_depth"),
        simulate=Late("perception.simulation.sensors.depth:measure_depth"),
        faults=Late("perception.training.data.depth_fault:DepthFaults"),
    ),
    SensorSpec(
        name="infrared",
        title="infrared",
        noun="infrared camera",
        colour="#e07a1f",
        field="infrared",
        channels=("intensity", "rank", "valid"),
        code=Late("perception.sensors.thermal:code_infrared"),
        measures=False,
        dull=Late(f"{_DULL}:dull_infrared"),
        topics={"infrared": _IMAGE, "infrared/compressed": _COMPRESSED},
        camera_info="infrared/camera_info",
        rank=2,
        lose=Late(f"{_DAMAGE}:lose_infrared"),
        speckle=Late(f"{_DAMAGE}:speckle_infrared"),
        simulate=Late("perception.simulation.sensors.thermal:see_heat"),
        faults=Late("perception.training.data.thermal_fault:ThermalFaults"),
    ),
    SensorSpec(
        name="lidar",
        title="LiDAR",
        noun="LiDAR",
        colour="#8a5cc7",
        field="points",
        channels=("log depth", "height", "intensity", "valid"),
        code=Late("perception.sensors.channels:code_lidar"),
        measures=True,
        dull=Late(f"{_DULL}:dull_sweep"),
        topics={"points": _CLOUD},
        camera_info=None,
        rank=1,
        movable=True,
        lose=Late(f"{_DAMAGE}:lose_points"),
        speckle=Late(f"{_DAMAGE}:speckle_points"),
        simulate=Late("perception.simulation.sensors.lidar:Lidar"),
        faults=Late("perception.training.data.lidar_fault:LidarFaults"),
    ),
    SensorSpec(
        name="radar",
        title="radar",
        noun="radar",
        colour="#c2447d",
        field=None,
        channels=("log depth", "speed", "cross-section", "valid"),
        code=Late(f"{_RADAR}:code_radar"),
        measures=True,
        dull=Late(f"{_RADAR}:dull_radar"),
        topics={"radar": _CLOUD},
        camera_info=None,
        rank=4,
        lose=Late(f"{_RADAR}:lose_returns"),
        speckle=Late(f"{_RADAR}:speckle_returns"),
        simulate=Late("perception.simulation.sensors.radar:see_returns"),
        faults=Late(f"{_RADAR}:RadarFaults"),
        fields=(
            *("x", "y", "z", "doppler", "doppler_velocity", "radial_speed", "velocity", "rcs", "RCS"),
            *("vx", "vy", "vx_comp", "vy_comp", "invalid_state", "ambig_state"),
        ),
        read=Late(f"{_RADAR}:returns_of"),
    ),
)

SPECS: Mapping[str, SensorSpec] = {spec.name: spec for spec in _TABLE}
"""The sensors by name, in the order of a network's sensors."""

FURTHER: tuple[str, ...] = tuple(name for name in SPECS if name not in MODALITIES)
"""The sensors that a network may have after MODALITIES, and that are in `Frame.extra`."""


@cache
def sensors_of(count: int, channels: int) -> tuple[str, ...]:
    """The sensors of a network with inputs for that many sensors and auxiliary channels, in its order.

    One sensor is the camera alone. Every set of them has different numbers, which a test checks. Raises ModelError if
    no set has these.
    """
    if (count, channels) == (1, 0):
        return MODALITIES[:1]
    for further in (names for k in range(len(FURTHER) + 1) for names in combinations(FURTHER, k)):
        sensors = (*MODALITIES, *further)
        if (len(sensors), sum(len(SPECS[name].channels) for name in sensors)) == (count, channels):
            return sensors
    raise ModelError(
        f"a network for {count} sensors with {channels} channels: no set of {', '.join(SPECS)} has these; was it "
        "trained with another version?"
    )


def splits_of(count: int, channels: int) -> list[int]:
    """The channels of each auxiliary sensor of such a network. Raises as `sensors_of` does."""
    return [len(SPECS[name].channels) for name in sensors_of(count, channels)[1:]]


def measured(frame: Frame, sensor: str) -> Any:
    """The sensor's data in the frame; None if it has none."""
    field = SPECS[sensor].field
    return frame.extra.get(sensor) if field is None else getattr(frame, field)


def with_measured(frame: Frame, values: Mapping[str, Any]) -> Frame:
    """The frame with these data, by sensor; None removes a sensor."""
    fields = {spec.field: values[name] for name, spec in SPECS.items() if spec.field is not None and name in values}
    further = {**frame.extra, **{name: value for name, value in values.items() if name not in MODALITIES}}
    return replace(frame, **fields, extra={name: value for name, value in further.items() if value is not None})
