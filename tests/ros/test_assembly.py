# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from perception.frame import CameraModel
from perception.ros.assembly import Assembler, Input, Observation, SeeFrozen
from perception.ros.calibration import Calibration, FileCalibration
from perception.ros.collector import Arrival, SensorSet
from perception.ros.complaints import Complaints
from perception.ros.convert import camera_info_fields, cloud_fields, image_fields
from perception.ros.motion import EgoMotion
from perception.sensors.presence import FrozenWatch

INFOS = {"rgb": "/camera_info", "depth": "/depth/camera_info", "infrared": "/infrared/camera_info"}
TOPICS = {"rgb": "/image", "depth": "/depth", "infrared": "/infrared", "lidar": "/points"}

WHOLE = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
"""The region of interest of a camera that has none."""


def message(sensor: str, **changes: Any) -> SimpleNamespace:
    arrays: dict[str, dict[str, Any]] = {
        "rgb": image_fields(np.full((24, 64, 3), 7, np.uint8), "rgb8"),
        "depth": image_fields(np.full((12, 32), 2000, np.uint16), "16UC1"),
        "infrared": image_fields(np.full((12, 32), 9, np.uint8), "mono8"),
        "lidar": cloud_fields(np.ones((5, 4), np.float32), lambda **field: SimpleNamespace(**field)),
    }
    header = SimpleNamespace(frame_id="velo" if sensor == "lidar" else "left")
    return SimpleNamespace(**{"header": header, **arrays[sensor], **changes})


class Bench:
    """An assembler with everything it says."""

    def __init__(
        self,
        calibrated: bool = True,
        width: int = 64,
        motion: EgoMotion | None = None,
        transforms: Any = None,
        file: FileCalibration | None = None,
        frozen: SeeFrozen = lambda sensor, stamp_ns, content: None,
    ) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.drops: list[tuple[str, str]] = []
        self.calibration = calibration = Calibration(file, np.eye(4) if calibrated else None, transforms)
        if calibrated:
            camera = CameraModel(np.array([[70.0, 0, 31.5], [0, 70.0, 11.5], [0, 0, 1]]), width, 24)
            header = SimpleNamespace(frame_id="left")
            calibration.put_camera_info(SimpleNamespace(header=header, roi=WHOLE, **camera_info_fields(camera)))
        complaints = Complaints(self.errors.append, self.warnings.append)
        drop: Any = lambda *what: self.drops.append(what)  # noqa: E731
        self._assemble = Assembler(calibration, INFOS, complaints, drop, motion, frozen=frozen)

    def __call__(self, trigger: str, stamp_ns: int = 5, **messages: Any) -> Observation | None:
        arrivals = {
            name: Arrival(stamp_ns + (name != trigger), 0.0, Input(TOPICS[name], content))
            for name, content in messages.items()
        }
        return self._assemble(SensorSet(trigger, arrivals))


def all_messages() -> dict[str, SimpleNamespace]:
    return {sensor: message(sensor) for sensor in TOPICS}


def test_every_sensor_in_one_frame() -> None:
    bench, messages = Bench(), all_messages()
    seen = bench("rgb", **messages)
    assert seen is not None
    assert seen.frame.modalities == ("rgb", "depth", "infrared", "lidar")
    assert seen.frame.stamp_ns == 5
    assert seen.header is messages["rgb"].header
    assert seen.cloud_header is messages["lidar"].header
    assert seen.frame.depth is not None
    np.testing.assert_allclose(seen.frame.depth, 2.0)
    assert not bench.errors + bench.warnings
    assert not bench.drops


@pytest.mark.parametrize("sensor", TOPICS)
def test_any_sensor_alone(sensor: str) -> None:
    seen = Bench()(sensor, **{sensor: message(sensor)})
    assert seen is not None
    assert len(seen.frame.modalities) == 1
    assert seen.frame_id == "left"


def test_the_images_name_the_frame_of_a_camera_from_a_file() -> None:
    camera = CameraModel(np.array([[70.0, 0, 31.5], [0, 70.0, 11.5], [0, 0, 1]]), 64, 24, "narrow_stereo")
    asked: list[tuple[str, str]] = []

    def lookup(target: str, source: str) -> Any:
        asked.append((target, source))
        return np.eye(4) if target == "left" else None

    tf = SimpleNamespace(lookup=lookup)
    bench = Bench(calibrated=False, transforms=tf, file=FileCalibration(camera, None))
    seen = bench("rgb", **all_messages())
    assert seen is not None
    assert "lidar" in seen.frame.modalities
    assert asked == [("left", "velo")]
    alone = bench("lidar", lidar=message("lidar"))
    assert alone is not None
    assert alone.frame_id == "left"


def test_a_broken_message_is_left_out_and_named() -> None:
    bench, messages = Bench(), all_messages()
    messages["rgb"].step = 1
    seen = bench("rgb", **messages)
    assert seen is not None
    assert seen.frame.modalities == ("depth", "infrared", "lidar")
    assert seen.frame_id == "left"
    assert bench.drops == [("rgb", "broken")]
    assert len(bench.errors) == 1
    assert bench.errors[0].startswith("/image: step: 1 bytes")


def test_nothing_usable_is_no_frame() -> None:
    assert Bench()("rgb", rgb=message("rgb", width=0)) is None


def test_without_calibration_the_lidar_is_left_out_with_a_warning() -> None:
    bench = Bench(calibrated=False)
    seen = bench("rgb", **all_messages())
    assert seen is not None
    assert seen.frame.modalities == ("rgb", "depth", "infrared")
    assert bench.drops == [("lidar", "no calibration")]
    assert len(bench.warnings) == 1
    assert "nothing on /camera_info" in bench.warnings[0]


def test_a_broken_camera_info_leaves_the_known_camera_in_use() -> None:
    bench = Bench()
    bench("rgb", **all_messages())
    header = SimpleNamespace(frame_id="left")
    broken = {**camera_info_fields(CameraModel(np.eye(3), 64, 24)), "k": np.zeros(9), "p": np.zeros(12)}
    bench.calibration.put_camera_info(SimpleNamespace(header=header, roi=WHOLE, **broken))
    seen = bench("rgb", **all_messages())
    assert seen is not None
    assert "lidar" in seen.frame.modalities
    assert len(bench.errors) == 1
    assert bench.errors[0].startswith("/camera_info: p and k: no focal length")
    assert not bench.warnings


def test_a_calibration_of_another_size_is_scaled_to_the_image() -> None:
    bench = Bench(width=128)
    seen = bench("rgb", **all_messages())
    assert seen is not None
    assert seen.frame.camera is not None
    assert (seen.frame.camera.width, seen.frame.camera.height) == (64, 24)
    assert bench.warnings == [
        "/camera_info: size: 128×24, but images are 64×24, of another shape: where points fall in them is a guess"
    ]


def test_a_sweep_is_moved_to_the_instant_of_the_image() -> None:
    class Passing(EgoMotion):
        def between(self, frame: str, from_ns: int, to_ns: int) -> Any:
            assert (frame, from_ns, to_ns) == ("velo", 6, 5)
            moved = np.eye(4)
            moved[0, 3] = -0.5
            return moved

    messages = {"rgb": message("rgb"), "lidar": message("lidar")}
    still, moved = Bench()("rgb", **messages), Bench(motion=Passing())("rgb", **messages)
    assert still is not None
    assert moved is not None
    assert still.frame.lidar_to_camera is not None
    assert moved.frame.lidar_to_camera is not None
    assert (moved.frame.lidar_to_camera - still.frame.lidar_to_camera)[0, 3] == -0.5


class Beside:
    """TF that knows a depth and an infrared camera, 0.1 m to the right of the RGB camera."""

    def lookup(self, target: str, source: str) -> Any:
        mount = np.eye(4)
        mount[0, 3] = 0.1
        return mount if (target, source) == ("left", "right") else None


def own_camera(frame_id: str) -> Any:
    camera = CameraModel(np.array([[35.0, 0, 15.5], [0, 35.0, 5.5], [0, 0, 1]]), 32, 12)
    header = SimpleNamespace(frame_id=frame_id)
    return SimpleNamespace(header=header, roi=WHOLE, **camera_info_fields(camera))


@pytest.mark.parametrize("sensor", ["depth", "infrared"])
def test_an_image_of_another_camera_is_registered(sensor: str) -> None:
    bench = Bench(transforms=Beside())
    messages = {"rgb": message("rgb"), sensor: message(sensor)}
    as_it_is = bench("rgb", **messages)
    bench.calibration.put_camera_info(own_camera("right"), sensor)
    registered = bench("rgb", **messages)
    assert as_it_is is not None
    assert registered is not None
    before, after = getattr(as_it_is.frame, sensor), getattr(registered.frame, sensor)
    assert before.shape == after.shape == (12, 32)
    # The left border is not seen from the right.
    assert not (after[:, 0] >= before[:, 0]).any()
    np.testing.assert_allclose(after[:, 8:], before[:, 8:], rtol=1e-5)
    assert (bench.errors, bench.warnings, bench.drops) == ([], [], [])


def test_an_image_of_a_camera_that_nobody_knows_is_left_out() -> None:
    bench = Bench(transforms=Beside())
    bench.calibration.put_camera_info(own_camera("elsewhere"), "depth")
    seen = bench("rgb", rgb=message("rgb"), depth=message("depth"))
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert bench.drops == [("depth", "no calibration")]
    assert "from 'elsewhere' to 'left'" in bench.warnings[0]


def test_an_image_that_was_registered_is_seen_from_the_camera() -> None:
    bench = Bench(transforms=Beside())
    bench.calibration.put_camera_info(own_camera("right"), "infrared")
    alone = message("infrared")
    alone.header = SimpleNamespace(frame_id="right")
    seen = bench("infrared", infrared=alone)
    assert seen is not None
    assert (seen.frame.modalities, seen.frame_id) == (("infrared",), "left")


def noise(number: int, sensor: str) -> SimpleNamespace:
    """A message that differs from those of other numbers."""
    rng = np.random.default_rng(number)
    sweep = rng.uniform(1, 9, (300, 4)).astype(np.float32)
    sweep[:, 3] = np.floor(255 * rng.random(300))
    fields = {
        "rgb": lambda: image_fields(rng.integers(0, 256, (24, 64, 3), np.uint8), "rgb8"),
        "lidar": lambda: cloud_fields(sweep, lambda **field: SimpleNamespace(**field)),
    }
    return message(sensor, **fields[sensor]())


def test_a_frozen_camera_is_left_out_while_the_lidar_lives() -> None:
    bench = Bench(frozen=FrozenWatch().see)
    frozen, seen = noise(0, "rgb"), list[Observation | None]()
    for number in range(6):
        seen.append(bench("rgb", number * 100_000_000, rgb=frozen, lidar=noise(number, "lidar")))
    assert [each.frame.modalities for each in seen if each] == [("rgb", "lidar")] * 3 + [("lidar",)] * 3
    last = seen[-1]
    assert last is not None
    assert (last.frame.stamp_ns, last.frame.size, last.frame_id) == (500_000_001, (64, 24), "left")
    reason = "rgb is frozen: the same content comes again and again under new stamps (driver, cable?)"
    assert last.frozen == {"rgb": reason}
    again = bench("rgb", 600_000_000, rgb=noise(1, "rgb"), lidar=noise(6, "lidar"))
    assert again is not None
    assert again.frame.modalities == ("rgb", "lidar")


def test_a_picture_that_is_played_for_ever_is_answered_and_told() -> None:
    bench, messages = Bench(frozen=FrozenWatch().see), {"rgb": noise(0, "rgb"), "lidar": noise(0, "lidar")}
    for number in range(8):
        seen = bench("rgb", number * 100_000_000, **messages)
        assert seen is not None
        assert (seen.frame.modalities, seen.frozen) == (("rgb", "lidar"), {})
    assert sum("is frozen" in line for line in bench.warnings) == 2
    assert not bench.drops


def test_intensities_are_scaled_by_all_sweeps_so_far() -> None:
    bench = Bench()
    for number in range(20):
        bench("lidar", number, lidar=noise(number, "lidar"))
    dark = noise(99, "lidar")
    dark.data = cloud_fields(np.ones((300, 4), np.float32), lambda **field: SimpleNamespace(**field))["data"]
    seen = bench("lidar", 99, lidar=dark)
    assert seen is not None
    assert seen.frame.points is not None
    np.testing.assert_array_equal(seen.frame.points[:, 3], np.float32(1 / 255))
    assert [line.partition(",")[0] for line in bench.warnings] == [
        "/points: intensity: field 'intensity' goes up to 254"
    ]


def test_a_lidar_without_intensity_is_used_and_told_once() -> None:
    bench = Bench()
    for stamp in range(3):
        bare = message("lidar")
        bare.fields = bare.fields[:3]
        seen = bench("lidar", stamp, lidar=bare)
        assert seen is not None
        assert seen.frame.points is not None
        assert not seen.frame.points[:, 3].any()
    assert bench.warnings == ["/points: intensity: none, nor reflectivity, among x, y, z; it is 0 for every point"]
