# SPDX-License-Identifier: Apache-2.0
"""A rosbag2 as frames, read when indexed: as the node would assemble them with unlimited time."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perception.assembly.assembler import Assembler, Input, Observation
from perception.assembly.calibration import Calibration, FileCalibration, read_calibration_file
from perception.assembly.clocks import pair_sensors
from perception.assembly.collector import Arrival, SensorSet
from perception.assembly.lidar_names import modality_of
from perception.assembly.motion import EgoMotion
from perception.assembly.pairing import Instant
from perception.assembly.settings.naming import BAG_SUFFIXES, heard, name_topics
from perception.assembly.settings.parameters import make_settings
from perception.assembly.settings.topics import CAMERA_INFOS, INPUT_TOPICS, SENSORS, further_lidars
from perception.assembly.throttled_log import ThrottledLog
from perception.assembly.transforms import TransformTree
from perception.bags.cursor import BagCursor, Key, key_of
from perception.bags.raw import RawMessage
from perception.bags.sources import open_bag, until_broken
from perception.bags.writer import TYPES
from perception.datasets.io.named_frames import NamedFrames
from perception.errors import DataError, MessageError
from perception.frame import Frame, Prediction
from perception.messages.bit_depth import BitDepth
from perception.messages.clouds import read_points
from perception.messages.convert import read_rgb
from perception.messages.stamps import read_stamp, with_stamp
from perception.sensors.intensity import IntensityScale
from perception.sensors.presence import FrozenWatch

_LOOK_AT = 32
"""One in this many of the camera's images is examined for its bit depth before the first frame."""


class BagFrames(NamedFrames):
    """The frames of the bag at `path`, paired as `pair_sensors` does and assembled as the node does.

    topics: the recorded topic by the node's input, if it has another name, or what `topics.read_topics` takes; None
    finds them, with `rig` if that belongs to this bag (`naming.name_topics`, whose messages are among the remarks).
    `topics` is then the result. calibration: used for what camera_info and TF lack; else the topics' file may have it.
    Frames are named by their stamp in nanoseconds. The bag is read once for the stamps.
    Some properties of the whole recording are determined first, so that they are the same for every frame: the scale of
    the intensities, which sensors are frozen, and which clocks are unrelated (`remarks`). A broken bag has the frames
    before the damage, and `broken` gives the reason. Raises DataError for a bag without any of the sensors or whose
    sensors' clocks are all unrelated, and, when indexed, for a message that triggers a frame and
    is broken; other sensors' broken messages are left out and listed in `complaints`.
    """

    def __init__(
        self,
        path: Path,
        topics: Mapping[str, str] | str | None = None,
        calibration: FileCalibration | None = None,
        rig: Path | None = None,
    ) -> None:
        self.path = path.parent if path.suffix in BAG_SUFFIXES else path
        self.complaints: list[str] = []
        self.remarks: list[str] = []
        self.broken = ""
        self._settings, self._file = make_settings({}), calibration
        self.topics: dict[str, str] = {}
        self._inputs: dict[str, str] = {}
        self._sensors = dict(SENSORS)
        self._infos: dict[str, list[tuple[int, str, bytes]]] = {sensor: [] for sensor in CAMERA_INFOS}
        self._mounts: list[tuple[str, bytes]] = []
        self._keys: dict[str, dict[int, Key]] = {sensor: {} for sensor in SENSORS}
        self._bit_depth = BitDepth()
        self._frozen: dict[str, dict[int, str]] = {sensor: {} for sensor in SENSORS}
        self._scales = defaultdict[str, IntensityScale](IntensityScale)
        self._scan(topics, rig)
        self._instants = self._pair()
        self.stamps_ns = [instant.stamp_ns for instant in self._instants]
        self.names = [f"{stamp_ns:019d}" for stamp_ns in self.stamps_ns]
        self._cursor: BagCursor | None = None
        self._tree: TransformTree | None = None
        self._motion: EgoMotion | None = None
        self._seen: Observation | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_cursor": None, "_tree": None, "_motion": None, "_seen": None}

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
                if not read_stamp(data):
                    data = with_stamp(data, key.stamp_ns)
                arrivals[sensor] = Arrival(key.stamp_ns, 0.0, Input(key.topic, TYPES.deserialize_cdr(data, kind)))
            except Exception as error:  # rosbags raises whatever its generated code runs into
                complaints.append(f"{key.topic}: not a {kind}: {error!r}")
        seen = None
        if instant.trigger in arrivals:
            calibration = self._calibration(keys[instant.trigger].recorded_ns)
            info_topics = {sensor: f"/{name}" for sensor, name in CAMERA_INFOS.items()}
            said = ThrottledLog(complaints.append, complaints.append)
            drop: Callable[[str, str], None] = lambda sensor, cause: None  # noqa: E731
            see: Callable[[str, int, Any], str | None] = lambda sensor, stamp, _: self._frozen[sensor].get(stamp)  # noqa: E731
            assemble = Assembler(calibration, info_topics, said, drop, self._motion, self._bit_depth, self._scales, see)
            matched = SensorSet(instant.trigger, arrivals)
            seen = assemble(
                matched,
                self._settings.reading,
                self._settings.infrared_distance,
                black_hot=self._settings.black_hot,
                vehicle=self._settings.vehicle,
            )
        modality = modality_of(instant.trigger)
        if seen is None or modality not in {*seen.frame.modalities, *seen.frozen}:
            reason = "; ".join(complaints) or f"no calibration for {modality}"
            raise DataError(f"{self.path}: {self.names[index]}: {reason}")
        self.complaints, self.absent, self._seen = complaints, seen.frozen, seen
        return seen

    def shown(self, index: int) -> Frame:
        """The frame with its image as it was recorded."""
        return self.observe(index).shown

    def returned(self, prediction: Prediction) -> Prediction:
        """The prediction for the recorded image of the frame that was read last."""
        return prediction if self._seen is None else self._seen.returned(prediction)

    def _pair(self) -> list[Instant]:
        """The instants, without the sensors whose clock is unrelated to the others'."""
        stamps = {sensor: np.array(sorted(keys), np.int64) for sensor, keys in self._keys.items()}
        recorded = {}
        for sensor, keys in self._keys.items():
            times = [key.recorded_ns for key in keys.values()]
            recorded[sensor] = min(times, default=0), max(times, default=0)
        instants, apart = pair_sensors(self.path, stamps, recorded, self._settings.timing)
        self.remarks += apart.values()
        return instants

    def _scan(self, topics: Mapping[str, str] | str | None, rig: Path | None) -> None:
        """Note where every message is, and keep the messages that calibrate the sensors."""
        info_of = {name: sensor for sensor, name in CAMERA_INFOS.items()}
        before: dict[str, bytes] = {}
        images = 0
        watches: defaultdict[str, FrozenWatch] = defaultdict(FrozenWatch)
        messages, unstamped, repeated = Counter[str](), Counter[str](), Counter[str]()
        lessons = Counter[str]()
        with closing(open_bag(self.path)) as source:
            naming = name_topics(source.topics, topics, rig)
            self.topics, self._inputs = naming.topics, heard(naming.topics, source.topics)
            for name in further_lidars(naming.topics):
                sensor = name.replace("points", "lidar")
                self._sensors[sensor], self._keys[sensor], self._frozen[sensor] = (name,), {}, {}
            sensor_of = {name: sensor for sensor, names in self._sensors.items() for name in names}
            self.remarks += naming.words
            if self._file is None and naming.calibration is not None:
                self._file = read_calibration_file(naming.calibration)
            wanted = [*self._inputs, "/tf_static"]
            for raw in until_broken(source, wanted, partial(setattr, self, "broken")):
                name = self._inputs.get(raw.topic, "")
                if raw.topic == "/tf_static":
                    self._mounts.append((raw.type, raw.data))
                elif name in info_of and len(raw.data) > 12:
                    said = with_stamp(raw.data, 0)
                    if before.get(name) != said:  # most cameras repeat theirs with every image
                        before[name] = said
                        self._infos[info_of[name]].append((raw.stamp_ns, raw.type, raw.data))
                elif name in sensor_of:
                    key = key_of(raw.topic, raw.stamp_ns, raw.data)
                    if key is None:
                        continue
                    sensor = sensor_of[name]
                    if name in SENSORS["rgb"]:
                        if images % _LOOK_AT == 0:
                            self._look(raw.type, raw.data)
                        images += 1
                    messages[raw.topic] += 1
                    unstamped[raw.topic] += not read_stamp(raw.data)
                    known = self._keys[sensor].setdefault(key.stamp_ns, key)
                    repeated[raw.topic] += known is not key and known.topic == key.topic
                    frozen = watches[raw.topic].see(sensor, key.stamp_ns, raw.data[12:])
                    if frozen is not None:
                        self._frozen[sensor][key.stamp_ns] = frozen
                    if modality_of(sensor) == "lidar" and messages[raw.topic] > lessons[sensor]:
                        lessons[sensor] = messages[raw.topic] + messages[raw.topic] // 5
                        self._learn_intensity(sensor, raw)
            if not any(self._keys.values()):
                if self.broken:
                    raise DataError(self.broken)
                inputs = ", ".join(self.topics.get(name, f"/{name}") for name in INPUT_TOPICS if name in sensor_of)
                words = "".join(f"; {word}" for word in naming.words)
                raise DataError(
                    f"{self.path}: none of {inputs} is in this bag; it has {', '.join(sorted(source.topics))}{words}; "
                    f"`perception init {self.path}` finds the topic of each input, or give --topics"
                )

        for scale in self._scales.values():
            scale.settle()
        self.remarks += [
            *self._unknown_camera(),
            *(word for scale in self._scales.values() for word in scale.words()),
            *(
                f"{topic}: {count} of {messages[topic]} header stamps are zero; the time of recording is used instead"
                for topic, count in unstamped.items()
                if count
            ),
            *(
                f"{topic}: {count} of {messages[topic]} messages have the stamp of another and are left out"
                for topic, count in repeated.items()
                if count
            ),
        ]

    def _unknown_camera(self) -> Iterator[str]:
        """Warns that depth lacks a camera model; for the LiDAR, each frame reports that."""
        seen_by = "rgb" if self._keys["rgb"] else "depth"
        known = self._infos[seen_by] or (self._file is not None and self._file.camera is not None)
        if self._keys["depth"] and not known:
            name = CAMERA_INFOS[seen_by]
            topic = self.topics.get(name, f"/{name}")
            yield (
                f"{topic}: no camera_info in this bag and no camera in a --calibration: heights above the ground "
                "cannot be computed from depth, and its labels are worse"
            )

    def _look(self, kind: str, data: bytes) -> None:
        """Find the camera's bit depth beforehand, so that it does not depend on the order in which frames are read."""
        with suppress(Exception):  # broken images are reported where they are read
            message: Any = TYPES.deserialize_cdr(data, kind)
            if "16" in (message.encoding if hasattr(message, "encoding") else message.format):
                read_rgb(message, self._bit_depth)

    def _learn_intensity(self, sensor: str, raw: RawMessage) -> None:
        """Take a sweep into account; broken ones are reported when they are read."""
        with suppress(Exception):  # rosbags raises whatever its generated code runs into
            message = TYPES.deserialize_cdr(raw.data, raw.type)
            read_points(message, self._settings.reading.intensity_max, self._scales[sensor])

    def _open(self) -> BagCursor:
        """The cursor, and everything it needs, in this process."""
        if self._cursor is None:
            self._tree = TransformTree()
            for kind, data in self._mounts:
                self._tree.add(TYPES.deserialize_cdr(data, kind).transforms)  # type: ignore[attr-defined]
            self._motion = EgoMotion(self._tree, self._settings.fixed_frame)
            topics = {key.topic for keys in self._keys.values() for key in keys.values()}
            moving = {"/tf", *(topic for topic, name in self._inputs.items() if name in ("odometry", "imu"))}
            self._cursor = BagCursor(self.path, topics, moving, self._hear_motion)
        return self._cursor

    def _hear_motion(self, topic: str, data: bytes) -> None:
        assert self._motion is not None
        assert self._tree is not None
        with suppress(MessageError):  # impossible speeds are left out
            if topic == "/tf":
                self._tree.move(TYPES.deserialize_cdr(data, "tf2_msgs/msg/TFMessage").transforms)  # type: ignore[attr-defined]
            elif self._inputs[topic] == "odometry":
                self._motion.put_odometry(TYPES.deserialize_cdr(data, "nav_msgs/msg/Odometry"))
            else:
                self._motion.put_imu(TYPES.deserialize_cdr(data, "sensor_msgs/msg/Imu"))

    def _calibration(self, recorded_ns: int) -> Calibration:
        """Restore the state at that time: the newest camera_info of each camera, or the first if there was none yet."""
        calibration = Calibration(self._file, transforms=self._tree)
        for sensor, infos in self._infos.items():
            known = [info for info in infos if info[0] <= recorded_ns] or infos[:1]
            if known:
                _, kind, data = known[-1]
                calibration.put_camera_info(TYPES.deserialize_cdr(data, kind), sensor)
        return calibration
