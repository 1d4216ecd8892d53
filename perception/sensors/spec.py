# SPDX-License-Identifier: Apache-2.0
"""The one table of sensors: what each is called, sends, looks like and is coded to, and who simulates and disturbs it.

Every list of sensors, channels, topics and colours elsewhere is made of it, or compared with it by a test. Functions
are named and found when they are first called (`Late`), for many of them live on higher floors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import import_module
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar

import numpy as np
from numpy.typing import NDArray

from perception.frame import Frame
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
    """What a sensor's channels are made of.

    projection: where the points of the LiDAR fall; None without. by_lidar, by_depth: the ground that each measured.
    """

    frame: Frame
    projection: Projection | None = None
    by_lidar: Ground | None = None
    by_depth: Ground | None = None


@dataclass(frozen=True)
class SensorSpec:
    """One sensor.

    title, noun: in pictures and in sentences. colour: in pictures, #rrggbb. field: of `Frame` that holds its data.
    channels: names of the network's, in their order; none for RGB, which has a branch of its own.
    code: a `Scene` that has the sensor, width, height → (channels, height, width) uint8. measures: it measures
    distances, and is coded with the ground; the others are coded beside, in a thread of their own.
    dull: a frame that has the sensor → why it tells nothing, None where it does.

    topics: inputs of the node, each with its message type: as it is, then compressed. camera_info: the input that says
    how its camera looks. reliable, depth: the quality of service of its subscriptions. timeout_s: default silence after
    which it is left out. rank: as a trigger, 0 is the best. movable: its messages can be moved to another instant.

    lose, speckle: for robustness evaluation, the sensor's data, a share and random numbers → data of which that share
    is lost, or extreme. faults: class of its disturbances in training, whose settings are its arguments; None without.
    simulate: what simulates it.
    """

    name: str
    title: str
    noun: str
    colour: str
    field: str
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
    movable: bool = False
    timeout_s: float = 0.5
    reliable: bool = False
    depth: int = 1


_DULL, _DAMAGE = "perception.sensors.presence", "perception.evaluation.robustness.damage"

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
)

SPECS: Mapping[str, SensorSpec] = {spec.name: spec for spec in _TABLE}
"""The sensors by name, in the order in which a network counts them."""


def measured(frame: Frame, sensor: str) -> Any:
    """The sensor's data in the frame; None where it has none."""
    return getattr(frame, SPECS[sensor].field)


def with_measured(frame: Frame, values: Mapping[str, Any]) -> Frame:
    """The frame with these data, by sensor; None leaves one out."""
    return replace(frame, **{SPECS[name].field: value for name, value in values.items()})
