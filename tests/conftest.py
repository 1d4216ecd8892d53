# SPDX-License-Identifier: Apache-2.0
"""Fixtures for all tests: real data where it is, a tiny KITTI drive where it is not, a network, a ROS network."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers.markers import pytest_collection_modifyitems  # noqa: F401 (a hook)
from helpers.servers.s3 import bucket, s3_server  # noqa: F401 (fixtures)
from helpers.skips import pytest_make_collect_report, pytest_runtest_makereport  # noqa: F401 (hooks)
from hypothesis import HealthCheck, settings

from perception.classes import PEDESTRIAN, VEHICLE
from perception.frame import MODALITIES
from perception.sensors.spec import SPECS

# A busy machine is no failure: examples may take as long as they do.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

CHECKOUT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public driving data, by PERCEPTION_DATA or ../shared/data beside the checkout; else a skip."""
    folder = Path(os.environ.get("PERCEPTION_DATA") or CHECKOUT.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no real driving data: {folder} does not exist (set PERCEPTION_DATA)")
    return folder


@pytest.fixture
def kitti_drive(tmp_path: Path) -> Path:
    """A KITTI raw drive of 4 frames in the official layout, 124×38 pixels: frame 2 has no sweep, frame 3 no image.

    Frame 3 comes so much later that the camera counts as lost by then.
    """
    date = tmp_path / "2011_09_26"
    drive = date / "2011_09_26_drive_0001_sync"
    _write_calibration(date)
    rng = np.random.default_rng(0)
    for folder in ("image_02", "velodyne_points", "oxts"):
        (drive / folder / "data").mkdir(parents=True)
    for number in (0, 1, 2):
        image = rng.integers(0, 256, (38, 124, 3), np.uint8)
        cv2.imwrite(str(drive / "image_02/data" / f"{number:010d}.png"), image)
    for number in (0, 1, 3):
        points = rng.uniform((2, -5, -2, 0), (40, 5, 1, 1), (200, 4)).astype("<f4")
        points.tofile(drive / "velodyne_points/data" / f"{number:010d}.bin")
    for number in range(4):
        fields = [49.0, 8.4 + 1e-5 * number, 112.0, 0, 0, 0, 0, 7.3, 7.3, *[0] * 16, 4, 10, 4, 4, 0]
        (drive / "oxts/data" / f"{number:010d}.txt").write_text(" ".join(map(str, fields)))
    _write_stamps(drive / "image_02/timestamps.txt", 345808896)
    _write_stamps(drive / "oxts/timestamps.txt", 349659964)
    for suffix, nanoseconds in (("_start", 283701593), ("", 335337762), ("_end", 386973931)):
        _write_stamps(drive / f"velodyne_points/timestamps{suffix}.txt", nanoseconds)
    (drive / "tracklet_labels.xml").write_text(_TRACKLETS)
    return drive


@pytest.fixture
def camvid(tmp_path: Path) -> Path:
    """Three frames in CamVid's layout: a grey road below a blue sky."""
    root = tmp_path / "camvid"
    for name in ("train", "trainannot"):
        (root / name).mkdir(parents=True)
    labels = np.repeat(np.array([0, 3], np.uint8), 32)[:, None].repeat(96, 1)
    image = np.where(labels[..., None] == 3, 90, (230, 120, 60)).astype(np.uint8)
    for i in range(3):
        cv2.imwrite(str(root / f"train/{i}.png"), image)
        cv2.imwrite(str(root / f"trainannot/{i}.png"), labels)
    return root


@pytest.fixture(scope="session")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An OpenVINO network whose class is red // 64, with confidence 200 and all sensors that are there equal.

    It takes and gives what the trained networks do, so that the node's tests know the right answer to every pixel.
    """
    return _tiny_model(tmp_path_factory.mktemp("model") / "tiny.xml", MODALITIES)


@pytest.fixture(scope="session")
def tiny_radar_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with the channels of a radar."""
    return _tiny_model(tmp_path_factory.mktemp("model") / "tiny_radar.xml", (*MODALITIES, "radar"))


@pytest.fixture(scope="session")
def tiny_camera_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same of the camera alone."""
    return _tiny_model(tmp_path_factory.mktemp("model") / "tiny_camera.xml", MODALITIES[:1])


@pytest.fixture(scope="session")
def tiny_instances_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with an instance head: what is connected is one thing."""
    return _tiny_model(tmp_path_factory.mktemp("model") / "tiny_instances.xml", MODALITIES, instances=True)


def _tiny_model(path: Path, sensors: Sequence[str], instances: bool = False) -> Path:
    import openvino
    from openvino import Type
    from openvino import opset13 as ops

    rgb = ops.parameter([1, -1, -1, 3], Type.u8, name="rgb")
    aux = ops.parameter([1, -1, -1, sum(len(SPECS[name].channels) for name in sensors)], Type.u8, name="aux")
    present = ops.parameter([1, len(sensors)], Type.f32, name="present")
    red = ops.convert(ops.gather(rgb, ops.constant(np.int32(0)), ops.constant(np.int32(3))), "i32")
    # A network that ignores an input would lose it.
    nothing = ops.multiply(
        ops.reduce_sum(ops.convert(aux, "i32"), ops.constant([1, 2, 3]), True), ops.constant(np.int32(0))
    )
    labels = ops.divide(red, ops.constant(np.int32(64)))
    labels = ops.add(labels, ops.squeeze(nothing, ops.constant([3])))
    confidence = ops.add(ops.multiply(labels, ops.constant(np.int32(0))), ops.constant(np.int32(200)))
    weights = ops.divide(present, ops.reduce_sum(present, ops.constant([1]), True))
    outputs = [ops.convert(labels, "u8"), ops.convert(confidence, "u8"), weights]
    if instances:  # a plateau of scores is one centre, and no cell points anywhere else
        cells = ops.slice(labels, ops.constant([0, 0]), ops.constant([1 << 30] * 2), ops.constant([4, 4]), [1, 2])
        kinds = [ops.convert(ops.equal(cells, ops.constant(np.int32(kind))), "f32") for kind in (VEHICLE, PEDESTRIAN)]
        none = ops.multiply(kinds[0], ops.constant(np.float32(0)))
        outputs.append(ops.concat([ops.unsqueeze(each, ops.constant([1])) for each in (*kinds, none, none)], 1))
    for parameter in (rgb, aux, present):
        parameter.output(0).get_tensor().set_names({parameter.get_friendly_name()})
    openvino.save_model(openvino.Model(outputs, [rgb, aux, present], "tiny"), path, compress_to_fp16=False)
    return path


@pytest.fixture(scope="module")
def ros() -> Iterator[Any]:
    """An rclpy context on a ROS domain that nobody else uses; child processes inherit the domain."""
    rclpy = pytest.importorskip("rclpy")
    from perception.ros.dds import use_profile
    from perception.ros.node_process import private_network

    use_profile()
    with private_network() as domain:
        context = rclpy.Context()
        rclpy.init(context=context, domain_id=domain)
        yield context
        rclpy.try_shutdown(context=context)


@pytest.fixture
def stranger(ros: Any) -> Iterator[Any]:
    """A node as if of another process, on the same domain: within one, a topic has one type."""
    import rclpy
    from rclpy.context import Context
    from rclpy.node import Node

    context = Context()
    rclpy.init(context=context, domain_id=ros.get_domain_id())
    yield Node("stranger", context=context)
    rclpy.try_shutdown(context=context)  # type: ignore[attr-defined]


def _write_stamps(path: Path, nanoseconds: int) -> None:
    times = (divmod(nanoseconds + after, 1_000_000_000) for after in (0, 100_000_000, 200_000_000, 1_000_000_000))
    lines = [f"2011-09-26 13:04:{32 + seconds}.{rest:09d}" for seconds, rest in times]
    path.write_text("\n".join(lines) + "\n")


def _write_calibration(date: Path) -> None:
    date.mkdir(parents=True)
    (date / "calib_cam_to_cam.txt").write_text(
        "calib_time: 09-Jan-2012 13:57:47\ncorner_dist: 9.95e-02\n"
        "R_rect_00: 9.999239e-01 9.837760e-03 -7.445048e-03 -9.869795e-03 9.999421e-01 -4.278459e-03 "
        "7.402527e-03 4.351614e-03 9.999631e-01\n"
        "S_rect_02: 1.24e+02 3.8e+01\n"
        "P_rect_02: 72.15377 0 60.95593 4.485728 0 72.15377 17.2854 0.02163791 0 0 1 0.002745884\n"
    )
    (date / "calib_velo_to_cam.txt").write_text(
        "calib_time: 15-Mar-2012 11:37:16\n"
        "R: 7.533745e-03 -9.999714e-01 -6.166020e-04 1.480249e-02 7.280733e-04 -9.998902e-01 "
        "9.998621e-01 7.523790e-03 1.480755e-02\n"
        "T: -4.069766e-03 -7.631618e-02 -2.717806e-01\n"
        "delta_f: 0 0\n"
    )
    (date / "calib_imu_to_velo.txt").write_text(
        "R: 9.999976e-01 7.553071e-04 -2.035826e-03 -7.854027e-04 9.998898e-01 -1.482298e-02 "
        "2.024406e-03 1.482454e-02 9.998881e-01\n"
        "T: -8.086759e-01 3.195559e-01 -7.997231e-01\n"
    )


_POSE = (
    "<item><tx>{x}</tx><ty>2</ty><tz>-1.5</tz><rx>0</rx><ry>0</ry><rz>1.5707963267948966</rz>"
    "<state>2</state><occlusion>{occlusion}</occlusion><truncation>0</truncation></item>"
)
_TRACKLETS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE boost_serialization>\n'
    '<boost_serialization signature="serialization::archive" version="9">\n<tracklets class_id="0">\n'
    "<count>1</count><item_version>1</item_version><item><objectType>Car</objectType>"
    "<h>1.5</h><w>1.8</w><l>4.2</l><first_frame>1</first_frame>"
    f"<poses><count>2</count><item_version>2</item_version>"
    f"{_POSE.format(x=10, occlusion=0)}{_POSE.format(x=11.5, occlusion=-1)}</poses>"
    "<finished>1</finished></item></tracklets>\n</boost_serialization>\n"
)
