# SPDX-License-Identifier: Apache-2.0
"""KITTI's object layout, with and without sweeps, calibration and soft labels."""

from __future__ import annotations

import numpy as np
import pytest

from perception.datasets.kitti.frames import KittiFrames
from perception.errors import DataError
from perception.frame import CameraModel
from perception.sensors.projection import project


def test_a_drive_or_a_folder_of_drives(frames_root):
    assert len(KittiFrames(frames_root / "drive_a")) == 10
    samples = KittiFrames(frames_root)
    assert len(samples) == 15
    assert samples[3].name == "drive_a/000003"
    assert samples[3].frame.stamp_ns == 300_000_000
    assert samples[3].frame.points[0].tolist() == [3, 3, 3, 0.5]


def test_each_drive_is_cut_in_time(frames_root):
    train, val = KittiFrames(frames_root, "train"), KittiFrames(frames_root, "val")
    assert [sample.name for sample in val] == ["drive_a/000008", "drive_a/000009", "drive_b/000004"]
    assert len(train) == 12


def test_what_is_missing_is_left_out(frames_root):
    sample = KittiFrames(frames_root / "drive_b")[0]
    assert sample.frame.modalities == ("rgb",)
    assert sample.frame.camera is None
    assert sample.probabilities is None


def test_soft_labels_are_probabilities(frames_root):
    probabilities = KittiFrames(frames_root)[0].probabilities
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(2), 1, atol=1e-6)
    assert probabilities[9, 0].tolist() == [0, 1, 0, 0]
    np.testing.assert_allclose(probabilities[0, 0], [15 / 255, 0, 0, 240 / 255])
    assert probabilities[0, 1].tolist() == [0.25] * 4  # nothing known


def test_mistakes_name_path_and_reason(frames_root, tmp_path):
    with pytest.raises(DataError, match="neither this folder nor one in it has an image_2"):
        KittiFrames(tmp_path / "nowhere")
    (frames_root / "drive_a/velodyne/000001.bin").write_bytes(b"\0" * 20)
    with pytest.raises(DataError, match=r"000001\.bin: 20 bytes, truncated"):
        KittiFrames(frames_root)[1]
    (frames_root / "drive_a/calib.txt").unlink()
    with pytest.raises(DataError, match=r"frame 000000 has a sweep but neither calib/000000\.txt nor calib\.txt"):
        KittiFrames(frames_root)[0]


def test_the_real_drives(real_data):
    samples = KittiFrames(real_data / "kitti_frustum")
    assert len(samples) == 188
    frame = samples[0].frame
    assert frame.size == (1242, 375)
    # the sweeps of this set were cut to what the camera sees, up to 8 pixels beyond its border
    margin = 9
    shift = np.array([[0, 0, margin], [0, 0, margin], [0, 0, 0]])
    wider = CameraModel(frame.camera.intrinsics + shift, 1242 + 2 * margin, 375 + 2 * margin)
    assert len(project(frame.points, frame.lidar_to_camera, wider).rows) == len(frame.points)


def test_the_official_object_set(real_data):
    samples = KittiFrames(real_data / "kitti_object")
    assert [sample.name for sample in samples] == [f"training/{i:06d}" for i in range(3)]
    assert all(sample.frame.modalities == ("rgb", "lidar") for sample in samples)
    assert samples[0].frame.camera.intrinsics[0, 0] == pytest.approx(707.05, abs=0.01)
