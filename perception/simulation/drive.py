# SPDX-License-Identifier: Apache-2.0
"""A simulated drive: the street of one seed under one condition, frame by frame."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.datasets.io.lazy import LazySequence
from perception.errors import PerceptionError
from perception.frame import Frame
from perception.sample import Sample
from perception.sensors.spec import FURTHER, SPECS
from perception.simulation.optics.film import develop
from perception.simulation.optics.light import Lighting
from perception.simulation.optics.raycast import Tracer
from perception.simulation.optics.vectors import Floats
from perception.simulation.optics.weather import rng_for, weather_for
from perception.simulation.scene import Scene
from perception.simulation.sensors.camera import Camera, View
from perception.simulation.sensors.depth import DEPTHS, measure_depth, which_depth
from perception.simulation.sensors.lidar import Lidar
from perception.simulation.sensors.rig import rig_for
from perception.simulation.sensors.stereo import draw_stereo
from perception.simulation.sensors.thermal import see_heat
from perception.simulation.sensors.tof import draw_time_of_flight
from perception.simulation.street.plan import STREETS
from perception.simulation.street.surface import MaterialTable
from perception.simulation.surroundings import Surroundings

FIRST_STAMP_NS = 1_600_000_000_000_000_000
"""Stamp of frame 0: some time in 2020, since a stamp of zero means "unknown" to ROS."""

STRETCH = 12.0
"""Seconds that a street is planned for; a longer drive is planned for a whole number of them."""


class SimulatedDrive(LazySequence[Sample]):
    """The frames of a drive, each rendered when it is asked for.

    Frame i depends on (seed, condition, rate_hz, scale, street, rig, depth, i) alone, bit for bit: in any order, in any
    process. Only drives of more than 12 s differ, since their street is planned for their length. scale: of the images;
    the number of LiDAR pulses is reduced accordingly. street: one of `street.plan.STREETS`. rig: one of
    `sensors.rig.RIGS`. depth: one of `sensors.depth.DEPTHS`. further: names of sensors beside those of MODALITIES,
    which change nothing of these. The drive can be pickled to worker processes.

    Raises PerceptionError for parameters out of range, or where Open3D cannot be loaded.
    """

    def __init__(
        self,
        seed: int = 0,
        condition: str = "day",
        frames: int = 100,
        rate_hz: float = 10.0,
        scale: float = 1.0,
        street: str = "any",
        rig: str = "kitti",
        depth: str = "ideal",
        further: Sequence[str] = (),
    ) -> None:
        if seed < 0:
            raise PerceptionError(f"seed {seed}: expected 0 or more")
        if frames < 1:
            raise PerceptionError(f"frames {frames}: expected 1 or more")
        if not rate_hz > 0:
            raise PerceptionError(f"rate_hz {rate_hz}: expected a positive number of frames per second")
        if not 0.02 <= scale <= 2:
            raise PerceptionError(f"scale {scale}: expected 0.02 to 2 (1 is the rig's own size)")
        if street not in STREETS:
            raise PerceptionError(f"street {street!r}: expected {' or '.join(STREETS)}")
        if depth not in DEPTHS:
            raise PerceptionError(f"depth {depth!r}: expected {' or '.join(DEPTHS)}")
        unknown = sorted(set(further) - set(FURTHER))
        if unknown:
            raise PerceptionError(f"no further sensor {', '.join(unknown)}: there are {', '.join(FURTHER)}")
        self.further = tuple(name for name in FURTHER if name in further)
        self.street = street
        self.seed, self.condition, self.frames, self.rate_hz, self.scale = seed, condition, frames, rate_hz, scale
        self.weather = weather_for(seed, condition)
        self.rig = rig_for(rig, seed)
        self.depth = which_depth(depth, seed)
        self.camera = self.rig.camera_model(scale)
        self.lidar_to_camera = self.rig.lidar_to_camera

    def __len__(self) -> int:
        return self.frames

    def read(self, index: int) -> Sample:
        """Renders frame `index`."""
        return self._stage.sample(index)

    def stamp_ns(self, index: int) -> int:
        """When frame `index` was taken, in nanoseconds."""
        return FIRST_STAMP_NS + round(index * 1e9 / self.rate_hz)

    def __getstate__(self) -> dict[str, Any]:
        # Search trees cannot be pickled; each process builds its own.
        return {name: value for name, value in self.__dict__.items() if name != "_stage"}

    @cached_property
    def _stage(self) -> _Stage:
        return _Stage(self)


class SimulatedDrives(LazySequence[Sample]):
    """Drives of equal length in sequence; each is released when the next begins."""

    def __init__(self, seeds: Sequence[int], condition: str = "day", frames: int = 100, **options: Any) -> None:
        """options: of each `SimulatedDrive`, such as rig and depth."""
        self.seeds, self.condition, self.frames, self.options = list(seeds), condition, frames, options
        self._drive = SimulatedDrive(self.seeds[0], condition, frames, **options)

    def __len__(self) -> int:
        return len(self.seeds) * self.frames

    def read(self, index: int) -> Sample:
        """Renders one frame of one drive."""
        place, frame = divmod(index, self.frames)
        if self._drive.seed != self.seeds[place]:
            self._drive = SimulatedDrive(self.seeds[place], self.condition, self.frames, **self.options)
        return self._drive[frame]


class _Stage:
    """The built street and the sensors in it."""

    def __init__(self, drive: SimulatedDrive) -> None:
        from perception.simulation.world import build_scene

        self._drive = drive
        stretches = max(1, -(-len(drive) // round(STRETCH * drive.rate_hz)))
        self._scene: Scene = build_scene(
            drive.seed, stretches * STRETCH + 1.0, drive.condition in ("dusk", "night"), drive.street
        )
        table = MaterialTable(self._scene.materials)
        self._table = table
        self._tracer = Tracer(self._scene)
        self._camera = Camera(drive.camera, table)
        self._lidar = Lidar(table, drive.rig.lidar, density=min(drive.scale, 1.0))
        self._sway = rng_for(drive.seed, drive.condition, 2).uniform([0.15, 0.7, 0], [0.45, 1.6, 2 * np.pi])

    def sample(self, index: int) -> Sample:
        """Renders frame `index`."""
        drive, tracer, weather = self._drive, self._tracer, self._drive.weather
        time = index / drive.rate_hz
        ego = self._ego(time)
        tracer.move_to(time)
        lighting = Lighting(tracer, self._table, weather, self._scene.lamps, ego)
        pose = ego @ drive.rig.camera_to_ego()
        view = self._camera.look(tracer, lighting, pose)
        radiance = self._camera.expose(view, tracer, lighting, pose)
        lidar_to_ego = drive.rig.lidar_to_ego()
        noise = [rng_for(drive.seed, drive.condition, 3, index, sensor) for sensor in range(len(SPECS))]
        sweep = self._lidar.sweep(tracer, weather, lambda t: self._ego(t) @ lidar_to_ego, time, noise[3])
        rgb = develop(radiance, np.isfinite(view.depth), weather, noise[0])
        around = Surroundings(self._scene, tracer, self._table, drive.rig, self._ego, time, min(drive.scale, 1.0))
        further = {name: rng for name, rng in zip(SPECS, noise, strict=True) if name in drive.further}
        frame = Frame(
            stamp_ns=drive.stamp_ns(index),
            rgb=rgb,
            depth=self._depth(rgb, view, radiance, lighting, pose, noise[1]),
            infrared=see_heat(view, self._table, weather, noise[2]),
            points=sweep.points,
            camera=drive.camera,
            lidar_to_camera=drive.lidar_to_camera,
            extra={name: SPECS[name].simulate(around._replace(rng=rng)) for name, rng in further.items()},
        )
        name = f"{drive.condition}-{drive.seed:04d}/{index:06d}"
        return Sample(name, frame, labels=view.labels, point_labels=sweep.labels, instances=view.instances)

    def _depth(
        self,
        rgb: NDArray[np.uint8],
        view: View,
        radiance: Floats,
        lighting: Lighting,
        pose: NDArray[np.float64],
        rng: np.random.Generator,
    ) -> NDArray[np.float32]:
        drive, chance = self._drive, np.random.default_rng([self._drive.seed, 1002])
        if drive.depth == "stereo":
            stereo = draw_stereo(drive.camera, drive.rig, chance)
            right = stereo.photograph(view, radiance, self._camera, self._tracer, lighting, pose, rng)
            return stereo.measure(rgb, right, float(drive.camera.intrinsics[0, 0]))
        if drive.depth == "tof":
            return draw_time_of_flight(chance).measure(view, self._tracer, pose, drive.weather, rng)
        lever = drive.rig.camera.intrinsics[0, 0] * drive.rig.baseline
        return measure_depth(view, drive.weather, lever, rng)

    def _ego(self, time: float) -> NDArray[np.float64]:
        """The vehicle's pose, nodding a little on its springs."""
        degrees, frequency, phase = self._sway
        angle = np.deg2rad(degrees) * np.sin(2 * np.pi * frequency * time + phase)
        nod = np.eye(4)
        nod[0, 0] = nod[2, 2] = np.cos(angle)
        nod[0, 2], nod[2, 0] = np.sin(angle), -np.sin(angle)
        return self._scene.ego(time) @ nod
