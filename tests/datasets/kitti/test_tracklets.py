# SPDX-License-Identifier: Apache-2.0
"""Tracklets: boxes per frame, their corners and the points in them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception.datasets.kitti.tracklets import TrackletBox, read_tracklets
from perception.errors import DataError

metres = st.floats(-50, 50)


def test_boxes_belong_to_frames(kitti_drive):
    (tracklet,) = read_tracklets(kitti_drive / "tracklet_labels.xml")
    assert tracklet.object_type == "Car"
    assert [tracklet.at(number) is not None for number in range(4)] == [False, True, True, False]
    first, second = tracklet.boxes
    assert first.size == (1.5, 1.8, 4.2)
    assert (first.occlusion, second.occlusion) == ("visible", "unknown")
    assert second.bottom.tolist() == [11.5, 2, -1.5]


def test_corners_of_a_box_that_stands_across(kitti_drive):
    box = read_tracklets(kitti_drive / "tracklet_labels.xml")[0].boxes[0]  # yaw 90°: its length lies along y
    corners = box.corners()
    np.testing.assert_allclose(corners.min(0), [9.1, -0.1, -1.5], atol=1e-9)
    np.testing.assert_allclose(corners.max(0), [10.9, 4.1, 0.0], atol=1e-9)
    assert (corners[:4, 2] == -1.5).all()


@given(x=metres, y=metres, yaw=st.floats(-math.pi, math.pi), share=st.floats(0, 0.99), corner=st.integers(0, 7))
def test_a_box_contains_what_lies_between_its_corners(x, y, yaw, share, corner):
    box = TrackletBox("Van", (2.0, 1.8, 4.5), np.array([x, y, -1.7]), yaw, "visible", 0)
    centre = box.corners().mean(0)
    way = box.corners()[corner] - centre
    points = np.stack([centre + share * way, centre + 1.01 * way]).astype(np.float32)
    assert box.contains(points).tolist() == [True, False]


def test_broken_files_name_themselves(tmp_path, kitti_drive):
    path = tmp_path / "tracklet_labels.xml"
    with pytest.raises(DataError, match="no such file"):
        read_tracklets(path)
    whole = (kitti_drive / "tracklet_labels.xml").read_text()
    path.write_text(whole[: len(whole) // 2])
    with pytest.raises(DataError, match=r"tracklet_labels\.xml: truncated or not XML"):
        read_tracklets(path)
    path.write_text("<html/>")
    with pytest.raises(DataError, match="not a KITTI tracklet file"):
        read_tracklets(path)
    path.write_text(whole.replace("<h>1.5</h>", ""))
    with pytest.raises(DataError, match=r"tracklet_labels\.xml: a tracklet lacks <h>"):
        read_tracklets(path)


def test_the_real_drive_has_15_objects(real_data):
    path = real_data / "kitti_raw/2011_09_26/2011_09_26_drive_0005_sync/tracklet_labels.xml"
    tracklets = read_tracklets(path)
    assert len(tracklets) == 15
    assert {t.object_type for t in tracklets} >= {"Car", "Van", "Cyclist", "Pedestrian"}
    assert max(t.first_frame + len(t.boxes) for t in tracklets) <= 154
