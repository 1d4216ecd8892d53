# SPDX-License-Identifier: Apache-2.0
"""A scene from the view of a camera: a known point falls on a known pixel, through every transform."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.datasets.nuscenes import write_nuscenes

from perception.datasets.nuscenes.one_camera import check_camera, one_camera, read_sweep
from perception.datasets.nuscenes.tables import Tables
from perception.errors import DataError
from perception.frame import Frame
from perception.sensors.projection import project_sweep


def frame(root: Path, number: int, camera: str = "CAM_FRONT") -> Frame:
    drive = one_camera(Tables(root).scenes((camera, "LIDAR_TOP"))[0], camera)
    assert drive.camera is not None
    assert drive.lidar is not None
    image = drive.camera.records[number]
    return drive.frame(image.stamp_ns, image, drive.lidar.records[number])


@pytest.mark.parametrize(("number", "pixel"), [(0, (900, 500)), (1, (800, 500))])
def test_a_known_point_falls_on_a_known_pixel_though_the_vehicle_moved(
    tmp_path: Path, number: int, pixel: tuple[int, int]
) -> None:
    seen = project_sweep(frame(write_nuscenes(tmp_path), number))
    assert seen is not None
    assert seen.rows[0] == 0
    np.testing.assert_allclose(seen.uv[0], pixel, atol=0.01)
    assert seen.depth[0] == pytest.approx(20.0, abs=1e-4)


def test_points_look_ahead_in_the_frame_of_the_lidar(tmp_path: Path) -> None:
    first = frame(write_nuscenes(tmp_path), 0)
    assert first.points is not None
    # 20.9 m ahead and 2 m to the right, 0.4 m of which the vehicle has driven by the time of the image.
    np.testing.assert_allclose(first.points[0], [20.5, -2, -1.5, 0.2], atol=1e-4)
    assert len(first.points) == 6  # one had no echo
    assert first.lidar_to_camera is not None
    # The camera is 0.5 m ahead of the LiDAR and 0.5 m below it.
    np.testing.assert_allclose(first.lidar_to_camera[:3, 3], [0, -0.5, -0.5], atol=1e-9)


def test_a_camera_that_looks_back_sees_none_of_them(tmp_path: Path) -> None:
    back = frame(write_nuscenes(tmp_path), 0, "CAM_BACK")
    seen = project_sweep(back)
    assert seen is not None
    assert len(seen.rows) == 0
    assert back.rgb is not None
    assert abs(int(back.rgb[0, 0, 0]) - 160) < 4


def test_what_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="camera 'CAM_TOP': nuScenes has CAM_FRONT, "):
        check_camera("CAM_TOP")
    (tmp_path / "short.pcd.bin").write_bytes(bytes(41))
    with pytest.raises(DataError, match="41 bytes, truncated: a point has 20"):
        read_sweep(tmp_path / "short.pcd.bin")
