# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 as frames, read when indexed: what the node would have made of it, had it had all the time in the world."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from perception.errors import DataError
from perception.frame import Frame
from perception.labelling.frames import NamedFrames
from perception.ros.assembly import Assembler, Input, Observation
from perception.ros.bag import TYPES
from perception.ros.bag_cursor import BagCursor, Key, key_of
from perception.ros.calibration import Calibration, FileCalibration
from perception.ros.collector import Arrival, SensorSet
from perception.ros.complaints import Complaints
from perception.ros.instants import find_instants
from perception.ros.motion import EgoMotion
from perception.ros.parameters import make_settings
from perception.ros.raw_bag import RawMessage
from perception.ros.sources import Source, open_source
from perception.ros.stamps import with_stamp
from perception.ros.transforms import StaticTransforms

SENSORS: dict[str, tuple[str, ...]] = {
    "rgb": ("image", "image/compressed"),
    "depth": ("depth", "depth/compressedDepth"),
    "infrared": ("infrared", "infrared/compressed"),
    "lidar": ("points",),
}
"""The node's inputs by sensor; where a message is on both of two topics, the first in the bag is taken."""

CAMERA_INFOS = {"camera_info": "rgb", "depth/camera_info": "depth", "infrared/camera_info": "infrared"}


class BagFrames(NamedFrames):
    """The frames of the bag at `path`, paired as `instants` says and assembled as the node does.

    topics: the recorded topic by the node's input, where it has another name (`topics.read_topics`). calibration:
    what camera_info and TF lack. Frames are named by their stamp in nanoseconds. The bag is read once for the stamps.
    Of a bag that is broken the frames before are there, and `broken` says why there are no more.
    Raises DataError for a bag without any of the sensors, and, when indexed, for a message that triggers a frame and
    is broken; other sensors' broken messages are left out, as `complaints` tell.
    """

    def __init__(
        self, path: Path, topics: Mapping[str, str] | None = None, calibration: FileCalibration | None = None
    ) -> None:
        self.path = path.parent if path.suffix in (".mcap", ".db3") else path
        self.complaints: list[str] = []
        self.broken = ""
        self._settings, self._file = make_settings({}), calibration
        self._inputs = {(topics or {}).get(name, f"/{name}"): name for name in _names()}
        self._infos: dict[str, list[tuple[int, str, bytes]]] = {sensor: [] for sensor in CAMERA_INFOS.values()}
        self._mounts: list[tuple[str, bytes]] = []
        self._keys: dict[str, dict[int, Key]] = {sensor: {} for sensor in SENSORS}
        self._scan()
        stamps = {sensor: np.array(sorted(keys), np.int64) for sensor, keys in self._keys.items()}
        self._instants = find_instants(stamps, self._settings.timing)
        self.stamps_ns = [instant.stamp_ns for instant in self._instants]
        self.names = [f"{stamp_ns:019d}" for stamp_ns in self.stamps_ns]
        self._cursor: BagCursor | None = None
        self._tree: StaticTransforms | None = None
        self._motion: EgoMotion | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cursor": None, "_tree": None, "_motion": None}

    def read(self, index: int) -> Frame:
        """The frame of an instant."""
        return self.observe(index).frame

    def trigger(self, index: int) -> Key:
        """The message that opens the instant."""
        instant = self._instants[index]
        return self._keys[instant.trigger][instant.stamp_ns]

    def observe(self, index: int) -> Observation:
        """The frame of an instant with the headers of its messages. Raises DataError if its trigger is broken."""
        instant, complaints = self._instants[index], list[str]()
        keys = {sensor: self._keys[sensor][stamp] for sensor, stamp in instant.stamps_ns.items()}
        found = self._open().fetch(list(keys.values()))
        arrivals = {}
        for sensor, key in keys.items():
            kind, data = found[key]
            try:
                arrivals[sensor] = Arrival(key.stamp_ns, 0.0, Input(key.topic, TYPES.deserialize_cdr(data, kind)))
            except Exception as error:  # rosbags raises whatever its generated code runs into
                complaints.append(f"{key.topic}: not a {kind}: {error!r}")
        seen = None
        if instant.trigger in arrivals:
            calibration = self._calibration(keys[instant.trigger].recorded_ns)
            info_topics = {sensor: f"/{name}" for name, sensor in CAMERA_INFOS.items()}
            said = Complaints(complaints.append, complaints.append)
            assemble = Assembler(calibration, info_topics, said, lambda sensor, cause: None, self._motion)
            matched = SensorSet(instant.trigger, arrivals)
            seen = assemble(matched, self._settings.intensity_max, self._settings.infrared_distance)
        modality = instant.trigger
        if seen is None or modality not in seen.frame.modalities:
            reason = "; ".join(complaints) or f"no calibration for {modality}"
            raise DataError(f"{self.path}: {self.names[index]}: {reason}")
        self.complaints = complaints
        return seen

    def _scan(self) -> None:
        """Note where every message is, and keep what calibrates the sensors."""
        sensor_of = {name: sensor for sensor, names in SENSORS.items() for name in names}
        before: dict[str, bytes] = {}
        with closing(open_source(self.path)) as source:
            wanted = [*self._inputs, "/tf_static"]
            for raw in self._until_broken(source, wanted):
                name = self._inputs.get(raw.topic, "")
                if raw.topic == "/tf_static":
                    self._mounts.append((raw.type, raw.data))
                elif name in CAMERA_INFOS and len(raw.data) > 12:
                    said = with_stamp(raw.data, 0)
                    if before.get(name) != said:  # most cameras repeat theirs with every image
                        before[name] = said
                        self._infos[CAMERA_INFOS[name]].append((raw.stamp_ns, raw.type, raw.data))
                elif name in sensor_of:
                    key = key_of(raw.topic, raw.stamp_ns, raw.data)
                    if key is not None:
                        self._keys[sensor_of[name]].setdefault(key.stamp_ns, key)
            if not any(self._keys.values()):
                if self.broken:
                    raise DataError(self.broken)
                inputs = ", ".join(topic for topic, name in self._inputs.items() if name in sensor_of)
                raise DataError(
                    f"{self.path}: none of {inputs} is in this bag; it has {', '.join(sorted(source.topics))}; "
                    "--preset says which topic is which"
                )

    def _until_broken(self, source: Source, topics: Collection[str]) -> Iterator[RawMessage]:
        try:
            yield from source.messages(topics, source.start_ns, source.end_ns)
        except DataError as error:
            self.broken = str(error)

    def _open(self) -> BagCursor:
        """The cursor, and what it needs, in this process."""
        if self._cursor is None:
            self._tree = StaticTransforms()
            for kind, data in self._mounts:
                self._tree.add(TYPES.deserialize_cdr(data, kind).transforms)  # type: ignore[attr-defined]
            self._motion = motion = EgoMotion(self._tree)
            topics = {key.topic for keys in self._keys.values() for key in keys.values()}
            odometry = {topic for topic, name in self._inputs.items() if name == "odometry"}
            self._cursor = BagCursor(
                self.path,
                topics,
                odometry,
                lambda topic, data: motion.put_odometry(TYPES.deserialize_cdr(data, "nav_msgs/msg/Odometry")),
            )
        return self._cursor

    def _calibration(self, recorded_ns: int) -> Calibration:
        """As it was then: the newest camera_info of each camera, or where there was none yet the first."""
        calibration = Calibration(self._file, transforms=self._tree)
        for sensor, infos in self._infos.items():
            known = [info for info in infos if info[0] <= recorded_ns] or infos[:1]
            if known:
                _, kind, data = known[-1]
                calibration.put_camera_info(TYPES.deserialize_cdr(data, kind), sensor)
        return calibration


def _names() -> list[str]:
    """Every input of the node's that a bag may have."""
    return [name for names in SENSORS.values() for name in names] + [*CAMERA_INFOS, "odometry"]
