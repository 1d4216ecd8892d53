# SPDX-License-Identifier: Apache-2.0
"""OXTS packets and the poses computed from them."""

from __future__ import annotations

import numpy as np
import pytest

from perception.datasets.kitti.layouts import open_drive
from perception.datasets.kitti.oxts import oxts_pose, read_oxts_packet
from perception.errors import DataError


def test_fields_are_in_kittis_order(tmp_path):
    path = tmp_path / "0000000000.txt"
    path.write_text(" ".join(str(i) for i in range(30)))
    packet = read_oxts_packet(path)
    assert (packet.lat, packet.yaw, packet.vf, packet.az, packet.wu) == (0, 5, 8, 13, 22)
    assert (packet.pos_accuracy, packet.navstat, packet.orimode) == (23, 25, 29)


@pytest.mark.parametrize("text", ["1 2 3", "x " * 30, "nan " * 30, ""])
def test_odd_packets_name_their_file(tmp_path, text):
    path = tmp_path / "0000000000.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=r"0000000000\.txt"):
        read_oxts_packet(path)


def packets(path):
    oxts = open_drive(path).oxts
    return [oxts.read(each.number) for each in oxts.instants], [each.stamp_ns for each in oxts.instants]


def test_poses_start_at_the_origin_and_move_east(kitti_drive):
    found, _ = packets(kitti_drive)
    poses = [oxts_pose(packet, found[0]) for packet in found]
    np.testing.assert_allclose(poses[0], np.eye(4), atol=1e-12)
    # 1e-5° of longitude at 49° north
    np.testing.assert_allclose(poses[1][:3, 3], [0.7303, 0, 0], atol=1e-3)


def test_real_poses_agree_with_the_measured_speed(real_data):
    found, stamps = packets(real_data / "kitti_raw")
    positions = np.array([oxts_pose(packet, found[0])[:3, 3] for packet in found])
    way = np.linalg.norm(np.diff(positions, axis=0), axis=1)
    seconds = np.diff(stamps) / 1e9
    speed = np.array([packet.vf for packet in found])
    assert way.sum() == pytest.approx((seconds * (speed[1:] + speed[:-1]) / 2).sum(), rel=0.15)
