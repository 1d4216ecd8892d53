# SPDX-License-Identifier: Apache-2.0
"""A raw drive with the classes of its points."""

from __future__ import annotations

import pytest

from perception.classes import PEDESTRIAN, UNLABELLED, VEHICLE
from perception.datasets.kitti.frames import KittiFrames
from perception.datasets.kitti.raw_samples import KittiRawSamples
from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.sensors.projection import project


def test_frames_with_sweeps_have_truth_at_their_points(kitti_drive):
    samples = open_dataset("kitti-raw", kitti_drive)
    assert [sample.point_labels is None for sample in samples] == [False, False, True, False]
    assert samples[0].name == f"{kitti_drive.name}/0000000000"
    assert len(samples[0].point_labels) == len(samples[0].frame.points)
    assert samples[0].labels is None


def test_a_drive_without_tracklets_says_so(kitti_drive):
    (kitti_drive / "tracklet_labels.xml").unlink()
    with pytest.raises(DataError, match=r"no boxes in tracklet_labels\.xml.*unpack the drive's tracklets there"):
        KittiRawSamples(kitti_drive)


def test_the_real_drive_agrees_with_its_frustum(real_data):
    """The same frame in two layouts, one of them cut to what the camera sees."""
    counts = []
    whole, cut = KittiRawSamples(real_data / "kitti_raw"), KittiFrames(real_data / "kitti_frustum/drive_0005")
    for sample in (whole[0], cut[0]):
        frame = sample.frame
        seen = sample.point_labels[project(frame.points, frame.lidar_to_camera, frame.camera).rows]
        counts.append({label: int((seen == label).sum()) for label in (VEHICLE, PEDESTRIAN, UNLABELLED)})
    assert counts[0] == counts[1] == {VEHICLE: 1037, PEDESTRIAN: 256, UNLABELLED: 1504}
