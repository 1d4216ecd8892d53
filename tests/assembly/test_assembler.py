# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from perception.assembly.assembler import Assembler, Input, Observation
from perception.assembly.calibration import Calibration, FileCalibration
from perception.assembly.collector import Arrival, SensorSet
from perception.assembly.lidars import SeeFrozen
from perception.assembly.motion import EgoMotion
from perception.assembly.own_vehicle import OwnVehicle
from perception.assembly.throttled_log import ThrottledLog
from perception.frame import CameraModel, Prediction
from perception.messages.cameras import CameraView
from perception.messages.convert import camera_info_fields, cloud_fields, image_fields, read_rgb
from perception.sensors.presence import FrozenWatch
from perception.sensors.projection import project_sweep

INFOS = {"rgb": "/camera_info", "depth": "/depth/camera_info", "infrared": "/infrared/camera_info"}
TOPICS = {"rgb": "/image", "depth": "/depth", "infrared": "/infrared", "lidar": "/points"}

WHOLE = SimpleNamespace(x_offset=0, y_offset=0, width=0, height=0)
"""The region of interest of a camera without one."""


def message(sensor: str, **changes: Any) -> SimpleNamespace:
    arrays: dict[str, dict[str, Any]] = {
        "rgb": image_fields(np.full((24, 64, 3), 7, np.uint8), "rgb8"),
        "depth": image_fields(np.full((12, 32), 2000, np.uint16), "16UC1"),
        "infrared": image_fields(np.full((12, 32), 9, np.uint8), "mono8"),
        "lidar": cloud_fields(np.ones((5, 4), np.float32), lambda **field: SimpleNamespace(**field)),
    }
    header = SimpleNamespace(frame_id="velo" if sensor == "lidar" else "left")
    return SimpleNamespace(**{"header": header, **arrays[sensor], **changes})


def camera_info(width: int, height: int, focal: float, frame_id: str = "left", **changes: Any) -> Any:
    """A CameraInfo without distortion that looks straight ahead, with these changes."""
    intrinsics = np.array([[focal, 0, width / 2 - 0.5], [0, focal, height / 2 - 0.5], [0, 0, 1]])
    fields = camera_info_fields(CameraModel(intrinsics, width, height))
    return SimpleNamespace(**{"header": SimpleNamespace(frame_id=frame_id), "roi": WHOLE, **fields, **changes})


class Bench:
    """An assembler that keeps all its messages."""

    def __init__(
        self,
        calibrated: bool = True,
        width: int = 64,
        motion: EgoMotion | None = None,
        transforms: Any = None,
        file: FileCalibration | None = None,
        vehicle: OwnVehicle = OwnVehicle(),  # noqa: B008 (frozen)
        frozen: SeeFrozen = lambda sensor, stamp_ns, content: None,
    ) -> None:
        self.errors: list[str] = []
        self.warnings: list[str] = []
        self.drops: list[tuple[str, str]] = []
        self.calibration = calibration = Calibration(file, np.eye(4) if calibrated else None, transforms)
        if calibrated:
            calibration.put_camera_info(camera_info(width, 24, 70.0))
        complaints = ThrottledLog(self.errors.append, self.warnings.append)
        drop: Any = lambda *what: self.drops.append(what)  # noqa: E731
        self._vehicle = vehicle
        self.assemble = Assembler(calibration, INFOS, complaints, drop, motion, frozen=frozen)

    def __call__(
        self, trigger: str, stamp_ns: int = 5, topic: str = "/image", rectified: str = "auto", **messages: Any
    ) -> Observation | None:
        topics = {**TOPICS, "rgb": topic}
        arrivals = {
            name: Arrival(stamp_ns + (name != trigger), 0.0, Input(topics[name], content))
            for name, content in messages.items()
        }
        return self.assemble(SensorSet(trigger, arrivals), image_rectified=rectified, vehicle=self._vehicle)


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
    view = CameraView(camera)
    asked: list[tuple[str, str]] = []

    def lookup(target: str, source: str) -> Any:
        asked.append((target, source))
        return np.eye(4) if target == "left" else None

    tf = SimpleNamespace(lookup=lookup)
    bench = Bench(calibrated=False, transforms=tf, file=FileCalibration(view, None))
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


def test_a_calibration_of_binned_images_is_scaled_to_them() -> None:
    bench = Bench()
    bench.calibration.put_camera_info(camera_info(2 * 64, 2 * 24, 140.0))
    seen = bench("rgb", **all_messages())
    assert seen is not None
    assert seen.frame.camera is not None
    np.testing.assert_allclose(seen.frame.camera.intrinsics, [[70, 0, 31.5], [0, 70, 11.5], [0, 0, 1]])
    assert not bench.errors + bench.warnings


def test_a_calibration_of_another_shape_is_not_this_cameras() -> None:
    bench = Bench(width=128)
    seen = bench("rgb", rgb=message("rgb"), lidar=message("lidar"))
    assert seen is not None
    assert (seen.frame.camera, seen.frame.modalities) == (None, ("rgb",))
    assert bench.drops == [("lidar", "no calibration")]
    assert bench.errors == [
        "/camera_info: size: 128×24, but images are 64×24, of another shape: this is not their calibration; if a "
        "driver crops, roi must say so"
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


def test_a_sweep_from_further_away_is_left_out_where_nobody_knows_the_motion() -> None:
    bench = Bench(motion=EgoMotion())
    arrivals = {
        "rgb": Arrival(200_000_005, 0.0, Input("/image", message("rgb"))),
        "lidar": Arrival(5, 0.0, Input("/points", message("lidar"))),
    }
    seen = bench.assemble(SensorSet("rgb", arrivals, frozenset({"lidar"})))
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert bench.drops == [("lidar", "no motion")]
    assert "/points: 200 ms older than the frame, and neither odometry nor TF says" in bench.warnings[0]


class Beside:
    """TF that knows a depth and an infrared camera, 0.1 m to the right of the RGB camera."""

    def lookup(self, target: str, source: str) -> Any:
        mount = np.eye(4)
        mount[0, 3] = 0.1
        return mount if (target, source) == ("left", "right") else None


def beside(sensor: str) -> SimpleNamespace:
    """An image of the camera to the right."""
    return message(sensor, header=SimpleNamespace(frame_id="right"))


@pytest.mark.parametrize("sensor", ["depth", "infrared"])
def test_an_image_of_another_camera_is_registered(sensor: str) -> None:
    bench = Bench(transforms=Beside())
    as_it_is = bench("rgb", rgb=message("rgb"), **{sensor: message(sensor)})
    bench.calibration.put_camera_info(camera_info(32, 12, 35.0, "right"), sensor)
    registered = bench("rgb", rgb=message("rgb"), **{sensor: beside(sensor)})
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
    bench.calibration.put_camera_info(camera_info(32, 12, 35.0, "elsewhere"), "depth")
    elsewhere = message("depth", header=SimpleNamespace(frame_id="elsewhere"))
    seen = bench("rgb", rgb=message("rgb"), depth=elsewhere)
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert bench.drops == [("depth", "no calibration")]
    assert "from 'elsewhere' to 'left'" in bench.warnings[0]


def test_an_image_that_was_registered_is_seen_from_the_camera() -> None:
    bench = Bench(transforms=Beside())
    bench.calibration.put_camera_info(camera_info(32, 12, 35.0, "right"), "infrared")
    seen = bench("infrared", infrared=beside("infrared"))
    assert seen is not None
    assert (seen.frame.modalities, seen.frame_id) == (("infrared",), "left")


RAW = {
    "k": np.array([62.0, 0, 32.5, 0, 62.0, 12.5, 0, 0, 1]),
    "d": np.array([-0.37, 0.2, 0.001, 0.0006, -0.07]),
    "p": np.array([70.0, 0, 31.5, 0, 0, 70.0, 11.5, 0, 0, 0, 1, 0]),
}
"""The camera_info of an image that is not rectified."""

POINT = np.array([2.2, -0.45, 6.0])
"""A point in the LiDAR frame of the bench, which is the camera's."""


def raw_scene() -> tuple[dict[str, SimpleNamespace], np.ndarray]:
    """An image with a red spot at the point's pixel behind the lens, a sweep with that point, and the pixel."""
    k, d = RAW["k"].reshape(3, 3), RAW["d"]
    spot = cv2.projectPoints(POINT[None, None], np.zeros(3), np.zeros(3), k, d)[0].ravel()
    image = np.zeros((24, 64, 3), np.uint8)
    cv2.circle(image, tuple(np.rint(spot).astype(int).tolist()), 1, (255, 0, 0), -1)
    points = np.array([[*POINT, 1.0]], np.float32)
    cloud = cloud_fields(points, lambda **field: SimpleNamespace(**field))
    return {"rgb": message("rgb", **image_fields(image, "rgb8")), "lidar": message("lidar", **cloud)}, spot


def test_an_image_that_is_not_rectified_is_and_its_labels_go_back() -> None:
    bench, (messages, spot) = Bench(), raw_scene()
    bench.calibration.put_camera_info(camera_info(64, 24, 70.0, **RAW))
    seen = bench("rgb", **messages)
    assert seen is not None
    assert seen.frame.rgb is not None
    projection = project_sweep(seen.frame)
    assert projection is not None
    np.testing.assert_allclose(projection.uv[0], [57.17, 6.25], atol=0.01)  # 70 · 2.2 / 6 + 31.5
    assert np.linalg.norm(spot - projection.uv[0]) > 3
    found = np.argwhere(seen.frame.rgb[..., 0] > 90).mean(axis=0)[::-1]
    np.testing.assert_allclose(found, projection.uv[0], atol=0.8)
    labels = np.where(seen.frame.rgb[..., 0] > 90, 3, 1).astype(np.uint8)
    things = np.where(labels == 3, 3001, 0).astype(np.uint16)
    back = seen.returned(Prediction(0, labels, np.full_like(labels, 200), {}, instances=things))
    assert back.labels.shape == (24, 64)
    np.testing.assert_array_equal(back.instances, np.where(back.labels == 3, 3001, 0))
    np.testing.assert_allclose(np.argwhere(back.labels == 3).mean(axis=0)[::-1], spot, atol=0.8)
    np.testing.assert_array_equal(back.confidence == 0, back.labels == 255)
    assert seen.shown.rgb is not None
    np.testing.assert_array_equal(seen.shown.rgb, read_rgb(messages["rgb"]))
    assert not bench.errors + bench.warnings


@pytest.mark.parametrize(("topic", "rectified"), [("/front/image_rect", "auto"), ("/image", "yes")])
def test_a_rectified_image_stays_as_it_is_whatever_d_says(topic: str, rectified: str) -> None:
    bench, (messages, _) = Bench(), raw_scene()
    bench.calibration.put_camera_info(camera_info(64, 24, 70.0, **RAW))
    seen = bench("rgb", topic=topic, rectified=rectified, **messages)
    assert seen is not None
    assert seen.frame.rgb is not None
    np.testing.assert_array_equal(seen.frame.rgb, read_rgb(messages["rgb"]))
    prediction = Prediction(0, np.ones((24, 64), np.uint8), np.ones((24, 64), np.uint8), {})
    assert seen.returned(prediction) is prediction


def test_distortion_with_p_equal_to_k_is_told_until_the_parameter_says_which() -> None:
    unclear = {**RAW, "k": RAW["p"].reshape(3, 4)[:, :3].ravel()}
    for rectified, told in {"auto": 1, "yes": 0, "no": 0}.items():
        bench, (messages, _) = Bench(), raw_scene()
        bench.calibration.put_camera_info(camera_info(64, 24, 70.0, **unclear))
        bench("rgb", rectified=rectified, **messages)
        assert len(bench.warnings) == told
        assert all(line.startswith("/camera_info: d: has distortion although p equals k") for line in bench.warnings)


def test_without_its_image_the_labels_are_still_in_the_cameras_own() -> None:
    """As they were while it was present: a sensor that comes and goes must not move the masks."""
    bench, (messages, spot) = Bench(), raw_scene()
    bench.calibration.put_camera_info(camera_info(64, 24, 70.0, **RAW))
    seen = bench("lidar", lidar=messages["lidar"])
    assert seen is not None
    labels = np.zeros((24, 64), np.uint8)
    labels[6, 57] = 3
    back = seen.returned(Prediction(0, labels, labels, {}))
    np.testing.assert_allclose(np.argwhere(back.labels == 3).mean(axis=0)[::-1], spot, atol=0.8)


def test_the_baseline_of_a_right_camera_counts() -> None:
    """A point 10 m ahead of the left camera; 0.5372 m to the right it is seen 38.7 pixels further left."""
    p = np.array([721.5, 0, 609.6, -387.6, 0, 721.5, 172.9, 0, 0, 0, 1, 0])
    bench = Bench()
    bench.calibration.put_camera_info(camera_info(1242, 375, 721.5, p=p, k=p.reshape(3, 4)[:, :3].ravel()))
    points = np.array([[0, 0, 10, 1]], np.float32)
    cloud = cloud_fields(points, lambda **field: SimpleNamespace(**field))
    image = image_fields(np.zeros((375, 1242, 3), np.uint8), "rgb8")
    seen = bench("rgb", rgb=message("rgb", **image), lidar=message("lidar", **cloud))
    assert seen is not None
    projection = project_sweep(seen.frame)
    assert projection is not None
    assert projection.uv[0, 0] == pytest.approx(570.84, abs=0.01)


def test_a_sweep_that_misses_the_image_is_left_out_with_the_frames() -> None:
    bench = Bench()
    points = np.random.default_rng(0).uniform((3, -9, -2, 0), (40, 9, 0.4, 1), (500, 4)).astype(np.float32)
    cloud = cloud_fields(points, lambda **field: SimpleNamespace(**field))
    seen = bench("rgb", rgb=message("rgb"), lidar=message("lidar", **cloud))
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert bench.drops == [("lidar", "out of view")]
    assert bench.warnings[0].startswith("/points: extrinsics: no point of the sweep falls into the image; 'left' looks")


def test_depth_of_another_shape_is_left_out_and_aligned_depth_with_the_depth_cameras_info_too() -> None:
    bench = Bench()
    square = message("depth", **image_fields(np.full((24, 32), 2000, np.uint16), "16UC1"))
    seen = bench("rgb", rgb=message("rgb"), depth=square)
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert bench.warnings[0].startswith("/depth: size: 32×24 is not the shape of the camera's 64×24")
    bench = Bench(transforms=Beside())
    bench.calibration.put_camera_info(camera_info(32, 12, 35.0, "right"), "depth")
    seen = bench("rgb", rgb=message("rgb"), depth=message("depth"))
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert bench.warnings[0].startswith("/depth: frame_id: images are in 'left', /depth/camera_info is of 'right'")


def test_infrared_alone_goes_through_its_own_lens_and_back() -> None:
    bench = Bench(calibrated=False)
    bench.calibration.put_camera_info(camera_info(64, 24, 70.0, **RAW), "infrared")
    (messages, spot) = raw_scene()
    image = read_rgb(messages["rgb"])[..., 0].copy()
    seen = bench("infrared", infrared=message("infrared", **image_fields(image, "mono8")))
    assert seen is not None
    assert seen.frame.infrared is not None
    found = np.argwhere(seen.frame.infrared > 90).mean(axis=0)[::-1]
    np.testing.assert_allclose(found, [57.17, 6.25], atol=0.8)
    labels = np.where(seen.frame.infrared > 90, 3, 1).astype(np.uint8)
    back = seen.returned(Prediction(0, labels, labels, {})).labels
    np.testing.assert_allclose(np.argwhere(back == 3).mean(axis=0)[::-1], spot, atol=0.8)


def noise(number: int, sensor: str) -> SimpleNamespace:
    """A message whose content depends on the number."""
    rng = np.random.default_rng(number)
    sweep = rng.uniform((-3, -1, 3, 0), (3, 1, 9, 1), (300, 4)).astype(np.float32)
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
    sweep = np.random.default_rng(99).uniform((-3, -1, 3, 1), (3, 1, 9, 1), (300, 4)).astype(np.float32)
    dark.data = cloud_fields(sweep, lambda **field: SimpleNamespace(**field))["data"]
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


def cloud(*places: tuple[float, float, float]) -> SimpleNamespace:
    points = np.array([(*place, 0.5) for place in places], np.float32)
    return message("lidar", **cloud_fields(points, lambda **field: SimpleNamespace(**field)))


ROOF = np.array([[1, 0, 0, 1.2], [0, 1, 0, 0], [0, 0, 1, 1.9], [0, 0, 0, 1.0]])
"""The pose of a LiDAR on the roof in base_link."""


def test_points_on_the_vehicle_itself_are_nobodys() -> None:
    """A beam without an echo that a driver moved by a millimetre, and the bonnet in a box of the vehicle's frame."""
    places = [(0.001, 0, 0), (1.0, 0, -1.0), (6.0, 0.5, 1.0), (1.5, 1.2, -1.0)]
    seen = Bench()("lidar", lidar=cloud(*places))
    assert seen is not None
    assert seen.frame.points is not None
    np.testing.assert_allclose(seen.frame.points[:, :3], places[1:], atol=1e-6)

    tf = SimpleNamespace(lookup=lambda target, source: {"base_link": ROOF, "left": np.eye(4)}[target])
    outline = OwnVehicle("base_link", (-1.0, 3.5, -0.9, 0.9, 0.0, 2.0))
    seen = Bench(transforms=tf, vehicle=outline)("lidar", lidar=cloud(*places))
    assert seen is not None
    assert seen.frame.points is not None
    np.testing.assert_allclose(seen.frame.points[:, :3], places[2:], atol=1e-6)


def test_a_box_that_nobody_can_place_cuts_nothing_and_one_that_holds_everything_is_told() -> None:
    bench = Bench(vehicle=OwnVehicle("base_link"))
    seen = bench("lidar", lidar=cloud((0.001, 0, 0), (6.0, 0.5, 1.0)))
    assert seen is not None
    assert seen.frame.points is not None
    assert len(seen.frame.points) == 2
    assert bench.warnings == ["vehicle.frame: no TF from 'velo' to 'base_link'; points on the vehicle itself stay in"]

    bench = Bench(vehicle=OwnVehicle("", (-9.0, 9.0, -9.0, 9.0, -9.0, 9.0)))
    assert bench("lidar", lidar=cloud((6.0, 0.5, 1.0), (2.0, 0.5, 1.0))) is None
    assert "all 2 points are in vehicle.box" in bench.errors[0]
    assert bench.drops == [("lidar", "broken")]


class _Placed:
    """TF that knows the radar's pose: a metre below the camera."""

    def lookup(self, target: str, source: str, at_ns: int | None = None) -> np.ndarray | None:
        mount = np.array([[0, -1, 0, 0.0], [0, 0, -1, 1.0], [1, 0, 0, 0], [0, 0, 0, 1]])
        return mount if (target, source) == ("left", "radar") else None

    def motion(self, frame: str, from_ns: int, to_ns: int, fixed: str) -> np.ndarray | None:
        moved = np.eye(4)
        moved[0, 3] = -10e-9 * (to_ns - from_ns)  # at 10 m/s all comes nearer
        return moved


def radar(**changes: Any) -> SimpleNamespace:
    rows = np.array([(20, 0, 0, -10, 5)], [(name, "<f4") for name in ("x", "y", "z", "doppler", "rcs")])
    fields = [
        SimpleNamespace(name=name, offset=4 * place, datatype=7, count=1)
        for place, name in enumerate(rows.dtype.names or ())
    ]
    whole = dict(height=1, width=1, fields=fields, is_bigendian=False, point_step=20, row_step=20, data=rows.tobytes())
    return SimpleNamespace(**{"header": SimpleNamespace(frame_id="radar"), **whole, **changes})


def test_a_radar_is_placed_by_tf_and_its_speeds_by_the_vehicles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOPICS, "radar", "/radar")
    bench = Bench(transforms=_Placed(), motion=EgoMotion(_Placed(), "odom"))
    seen = bench("rgb", rgb=message("rgb"), radar=radar())
    assert seen is not None
    assert seen.frame.modalities == ("rgb", "radar")
    returns = seen.frame.extra["radar"]
    assert returns.values.tolist() == [[20, 0, 0, -10, 5]]
    np.testing.assert_allclose(returns.to_camera[:3, 3], [0, 1, 0], atol=1e-6)
    assert returns.velocity is not None
    np.testing.assert_allclose(returns.velocity, [10, 0, 0], atol=1e-6)
    assert not bench.errors + bench.warnings


def test_a_radar_alone_is_a_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TOPICS, "radar", "/radar")
    seen = Bench(transforms=_Placed())("radar", radar=radar())
    assert seen is not None
    assert (seen.frame.modalities, seen.frame_id) == (("radar",), "left")
    assert seen.frame.extra["radar"].velocity is None


@pytest.mark.parametrize(
    ("calibrated", "changes", "said", "cause"),
    [
        (
            True,
            {"header": SimpleNamespace(frame_id="roof")},
            "no TF from 'roof' to 'left'; the radar",
            "no calibration",
        ),
        (False, {}, "camera: the intrinsics are unknown; the radar is left out", "no calibration"),
        (True, {"data": b""}, "data: 0 bytes, but row_step × height = 20 × 1", "broken"),
    ],
)
def test_a_radar_that_cannot_be_used_is_left_out_with_a_word(
    monkeypatch: pytest.MonkeyPatch, calibrated: bool, changes: dict[str, Any], said: str, cause: str
) -> None:
    monkeypatch.setitem(TOPICS, "radar", "/radar")
    bench = Bench(calibrated, transforms=_Placed())
    seen = bench("rgb", rgb=message("rgb"), radar=radar(**changes))
    assert seen is not None
    assert seen.frame.modalities == ("rgb",)
    assert [line for line in bench.errors + bench.warnings if said in line]
    assert bench.drops == [("radar", cause)]
