# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perception.errors import DataError
from perception.frame import MODALITIES, CameraModel, Frame, Returns
from perception.ground import Ground
from perception.sensors.channels import log_depth
from perception.sensors.encode import encode
from perception.sensors.presence import uninformative
from perception.sensors.radar import (
    RadarFaults,
    code_radar,
    lose_returns,
    read_pcd,
    returns_of,
    speckle_returns,
    speeds,
)
from perception.sensors.spec import Scene

CAMERA = CameraModel(np.array([[100.0, 0, 63.5], [0, 100, 31.5], [0, 0, 1]]), 128, 64)
TO_CAMERA = np.array([[0, -1, 0, 0.0], [0, 0, -1, 1.0], [1, 0, 0, 0], [0, 0, 0, 1]])
"""The data of a radar a metre below the camera, which looks in the same direction."""

GROUND = Ground(np.array([0, -1.0, 0]), 1.5)
SENSORS = (*MODALITIES, "radar")


def frame_of(*rows: tuple[float, ...], velocity: list[float] | None = None) -> Frame:
    values = np.array(rows, np.float32).reshape(-1, 5)
    known = None if velocity is None else np.array(velocity)
    return Frame(1, camera=CAMERA, ground=GROUND, extra={"radar": Returns(values, TO_CAMERA, known)})


def test_a_return_is_a_column_from_the_ground_to_three_metres() -> None:
    frame = frame_of((20, 0, 0, -5, 10), velocity=[5, 0, 0])
    channels = code_radar(Scene(frame), 128, 64)
    rows, columns = np.nonzero(channels[3])
    # The ground 20 m ahead is 1.5 m below the camera, and the column's top 1.5 m above it: 31.5 ± 100 · 1.5 / 20.
    assert (rows.min(), rows.max()) == (24, 39)
    # Half a degree to each side is 0.87 pixels.
    assert (columns.min(), columns.max()) == (63, 64)
    inside = channels[:, 30, 63]
    assert inside[0] == log_depth(np.array([20], np.float32))[0]
    assert inside[1] == 128  # it stands: the vehicle drives towards it at 5 m/s
    assert inside[2] == int(1.5 + 254 * 40 / 80)


def test_what_nobody_knows_is_zero() -> None:
    channels = code_radar(Scene(frame_of((20, 0, 0, -5, np.nan))), 128, 64)
    assert channels[3].max() == 255
    assert channels[1].max() == 0  # without the radar's own velocity a speed is none over the ground
    assert channels[2].max() == 0


def test_the_nearer_return_hides_the_farther() -> None:
    channels = code_radar(Scene(frame_of((10, 0, 0, 0, 0), (40, 0, 0, 0, 0))), 128, 64)
    assert channels[0, 31, 63] == log_depth(np.array([10], np.float32))[0]


def test_without_a_ground_the_column_stands_half_a_metre_below_the_radar() -> None:
    frame = frame_of((20, 0, 0, 0, 0))
    frame.ground = None
    rows = np.nonzero(code_radar(Scene(frame), 128, 64)[3])[0]
    assert (rows.min(), rows.max()) == (24, 39)


def test_speeds_are_over_the_ground() -> None:
    returns = frame_of((3, 4, 0, -1, 0), velocity=[10, 0, 0]).extra["radar"]
    assert speeds(returns) == pytest.approx([-1 + 10 * 0.6])


def test_a_mirrored_scan_has_a_mirrored_picture() -> None:
    frame = frame_of((20, 3, 0, -2, 10), velocity=[5, 1, 0])
    other = Frame(1, camera=CAMERA, ground=GROUND, extra={"radar": frame.extra["radar"].mirrored()})
    np.testing.assert_array_equal(code_radar(Scene(frame), 128, 64)[:, :, ::-1], code_radar(Scene(other), 128, 64))


def test_its_channels_come_behind_the_others_and_only_where_the_network_has_them() -> None:
    frame = frame_of((20, 0, 0, 0, 10))
    coded = encode(frame, 128, 64, sensors=SENSORS)
    assert coded.aux.shape == (32, 64, 14)
    assert coded.present.tolist() == [0, 0, 0, 0, 1]
    assert coded.aux[..., :10].max() == 0
    assert coded.aux[..., 13].max() == 255
    assert encode(frame, 128, 64).aux.shape == (32, 64, 10)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "radar is empty: the scan has no return"),
        ([(-20, 0, 0, 0, 0)], "radar is out of view: no return lies in front of the camera (calibration, frames?)"),
        ([(20, 0, 0, 0, 0)], None),
    ],
)
def test_a_radar_that_tells_nothing_is_absent(rows: list[tuple[float, ...]], said: str | None) -> None:
    assert uninformative(frame_of(*rows)).get("radar") == said


def test_a_sensor_that_is_in_no_table_is_left_out_with_a_word() -> None:
    frame = Frame(1, camera=CAMERA, extra={"sonar": frame_of().extra["radar"]})
    assert uninformative(frame) == {
        "sonar": "sonar is left out: no sensor has this name; the sensors are rgb, depth, infrared, lidar, radar"
    }


def test_damage_is_done_to_the_share_that_was_asked() -> None:
    rng = np.random.default_rng(0)
    returns = Returns(np.tile(np.array([[20, 0, 0, 0, 10]], np.float32), (1000, 1)), TO_CAMERA)
    assert len(lose_returns(returns, 0.3, rng).values) == pytest.approx(700, abs=50)
    noisy = speckle_returns(returns, 0.3, rng)
    assert (noisy.values != returns.values).any(1).sum() == pytest.approx(300, abs=50)
    assert (returns.values == [20, 0, 0, 0, 10]).all()


def test_training_disturbs_the_radar_alone() -> None:
    frame = frame_of(*[(20, 0, 0, 0, 10)] * 50, velocity=[1, 0, 0])
    assert RadarFaults().draw(np.random.default_rng(0)) is None
    fault = RadarFaults(share=1.0, still=1.0).draw(np.random.default_rng(0))
    assert fault is not None
    disturbed = fault.apply(frame)
    assert disturbed.extra["radar"].velocity is None
    assert len(disturbed.extra["radar"].values) != 50
    np.testing.assert_array_equal(fault.apply(frame).extra["radar"].values, disturbed.extra["radar"].values)
    assert frame.extra["radar"].velocity is not None
    camera_alone = Frame(1, rgb=np.zeros((2, 2, 3), np.uint8))
    assert fault.apply(camera_alone) is camera_alone


NUSCENES = [
    *("x:F4", "y:F4", "z:F4", "dyn_prop:I1", "id:I2", "rcs:F4", "vx:F4", "vy:F4", "vx_comp:F4", "vy_comp:F4"),
    *("is_quality_valid:I1", "ambig_state:I1", "x_rms:I1", "y_rms:I1", "invalid_state:I1", "pdh0:I1"),
    *("vx_rms:I1", "vy_rms:I1"),
]
"""The fields of nuScenes' radar files, their types and bytes."""


def write_pcd(path: Path, rows: list[dict[str, float]]) -> Path:
    names, kinds = zip(*(each.split(":") for each in NUSCENES), strict=True)
    layout = np.dtype([(name, f"<{kind[0].lower()}{kind[1]}") for name, kind in zip(names, kinds, strict=True)])
    cloud = np.zeros(len(rows), layout)
    for row, values in zip(cloud, rows, strict=True):
        for name, value in values.items():
            row[name] = value
    head = [
        "# .PCD v0.7 - Point Cloud Data file format",
        "VERSION 0.7",
        f"FIELDS {' '.join(names)}",
        f"SIZE {' '.join(kind[1] for kind in kinds)}",
        f"TYPE {' '.join(kind[0] for kind in kinds)}",
        f"COUNT {' '.join('1' for _ in kinds)}",
        f"WIDTH {len(rows)}",
        "HEIGHT 1",
        "VIEWPOINT 0 0 0 1 0 0 0",
        f"POINTS {len(rows)}",
        "DATA binary",
    ]
    path.write_bytes("\n".join(head).encode() + b"\n" + cloud.tobytes())
    return path


def test_nuscenes_files_are_read(tmp_path: Path) -> None:
    good = dict(x=3, y=4, rcs=7.5, vx=-8, vx_comp=-5, vy_comp=0, ambig_state=3, id=12)
    path = write_pcd(tmp_path / "radar.pcd", [good, {**good, "invalid_state": 4}, {**good, "ambig_state": 1}])
    returns = read_pcd(path, TO_CAMERA)
    assert returns.values.tolist() == [[3, 4, 0, -3, 7.5]]
    assert returns.velocity is not None  # what is compensated is over the ground already
    assert speeds(returns).tolist() == [-3]


def test_speeds_that_are_not_compensated_wait_for_the_vehicles() -> None:
    columns = {name: np.array([value], np.float32) for name, value in dict(x=3, y=4, vx=-10, vy=0).items()}
    assert speeds(returns_of(columns, TO_CAMERA, np.array([10.0, 0, 0]))) == pytest.approx([0])
    assert np.isnan(speeds(returns_of(columns, TO_CAMERA))).all()
    assert np.isnan(returns_of({name: columns[name] for name in "xy"}, TO_CAMERA).values[0, 3:]).all()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no binary PCD"),
        (b"FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 1\nDATA ascii\n1 2\n", "no binary PCD"),
        (
            b"FIELDS x y\nSIZE 4 4\nTYPE F F\nPOINTS 2\nDATA binary\n12345678",
            "8 bytes, but the header says 2 returns of 8",
        ),
        (b"FIELDS u v\nSIZE 4 4\nTYPE F F\nPOINTS 0\nDATA binary\n", "no x and y among u v"),
        (b"FIELDS x y\nSIZE 4\nTYPE F F\nPOINTS 0\nDATA binary\n", "its header cannot be read"),
        (b"FIELDS x y\nSIZE 4 4\nTYPE F Q\nPOINTS 0\nDATA binary\n", "its header cannot be read"),
    ],
)
def test_what_is_no_such_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "radar.pcd"
    path.write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_pcd(path, TO_CAMERA)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere\.pcd: No such file"):
        read_pcd(tmp_path / "nowhere.pcd", TO_CAMERA)
