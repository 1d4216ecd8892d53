# SPDX-License-Identifier: Apache-2.0
"""KITTI drives of a few frames in each official layout, with stamps that differ from sensor to sensor."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

FRAMES = 3
RECTIFIED, UNRECTIFIED = (48, 20), (64, 32)
CALIBRATION = "R_rect_00: 9.999239e-01 9.837760e-03 -7.445048e-03 -9.869795e-03 9.999421e-01 -4.278459e-03 " \
    "7.402527e-03 4.351614e-03 9.999631e-01\n"  # fmt: skip
TR = "7.533745e-03 -9.999714e-01 -6.166020e-04 {0}1.480249e-02 7.280733e-04 -9.998902e-01 {1}9.998621e-01 " \
    "7.523790e-03 1.480755e-02{2}"  # fmt: skip
VELODYNE = f"R: {TR.format('', '', '')}\nT: -4.069766e-03 -7.631618e-02 -2.717806e-01\n"
VELODYNE_LINE = TR.format("-4.069766e-03 ", "-7.631618e-02 ", " -2.717806e-01")
IMU = (
    "R: 9.999976e-01 7.553071e-04 -2.035826e-03 -7.854027e-04 9.998898e-01 -1.482298e-02 "
    "2.024406e-03 1.482454e-02 9.998881e-01\nT: -8.086759e-01 3.195559e-01 -7.997231e-01\n"
)
IMU_LINE = (
    "9.999976e-01 7.553071e-04 -2.035826e-03 -8.086759e-01 -7.854027e-04 9.998898e-01 -1.482298e-02 3.195559e-01 "
    "2.024406e-03 1.482454e-02 9.998881e-01 -7.997231e-01"
)
OFFSETS = (0.0, -38.75744, 4.485728, -33.95242)
"""P[0, 3] of the four cameras."""
PACKET = [49.0, 8.4, 112.0, 0.02, 0.03, -1.2, -3.3, 1.1, 3.5, 0.04, -0.04]
PACKET += [-0.29, 0.04, 9.99, -0.31, -0.2, 9.98, -0.017, 0.025, 0.145, -0.018, 0.021, 0.146, 0.5, 0.07, 4, 10, 4, 4, 0]
STAMPS = {"image_00": 340000001, "image_01": 341000002, "image_02": 345808896, "image_03": 345323776,
          "oxts": 349659964, "velodyne_points": 335337762}  # fmt: skip
"""Nanoseconds of each sensor's first stamp after 13:04:32; the others follow at 0.1 s."""
TRACKLETS = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes" ?>\n<!DOCTYPE boost_serialization>\n'
    '<boost_serialization signature="serialization::archive" version="9">\n<tracklets class_id="0">\n'
    "<count>1</count><item_version>1</item_version><item><objectType>Car</objectType>"
    "<h>1.5</h><w>1.8</w><l>4.2</l><first_frame>1</first_frame><poses><count>1</count><item_version>2</item_version>"
    "<item><tx>10</tx><ty>2</ty><tz>-1.5</tz><rx>0</rx><ry>0</ry><rz>1.5707963267948966</rz>"
    "<state>2</state><occlusion>0</occlusion><truncation>0</truncation></item></poses>"
    "<finished>1</finished></item></tracklets>\n</boost_serialization>\n"
)


def stamp_lines(first: int, count: int = FRAMES) -> str:
    times = (divmod(first + 100_000_000 * i, 1_000_000_000) for i in range(count))
    return "".join(f"2011-09-26 13:04:{32 + seconds}.{nanoseconds:09d}\n" for seconds, nanoseconds in times)


def projection(index: int) -> str:
    return f"72.15377 0 24 {OFFSETS[index]} 0 72.15377 10 0 0 0 1 0"


def image(number: int, size: tuple[int, int], colour: bool) -> np.ndarray:
    """What camera files hold, RGB or grey."""
    rng = np.random.default_rng(number)
    return rng.integers(0, 256, (size[1], size[0], 3) if colour else size[::-1], np.uint8)


def sweep(number: int) -> np.ndarray:
    return np.random.default_rng(number).uniform((2, -5, -2, 0), (40, 5, 1, 1), (50, 4)).astype("<f4").round(3)


def write_image(path: Path, number: int, size: tuple[int, int], colour: bool) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = image(number, size, colour)
    assert cv2.imwrite(str(path), pixels[..., ::-1] if colour else pixels)


def write_sweep(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".bin":
        sweep(number).tofile(path)
    else:
        np.savetxt(path, sweep(number), fmt="%.3f")


def raw_drive(root: Path, synced: bool = True, cameras: tuple[int, ...] = (0, 1, 2, 3), frames: int = FRAMES) -> Path:
    """DATE/DATE_drive_0001_sync or …_extract."""
    date = root / "2011_09_26"
    drive = date / f"2011_09_26_drive_0001_{'sync' if synced else 'extract'}"
    drive.mkdir(parents=True)
    lines = [CALIBRATION]
    for i in range(4):
        lines += [f"S_{i:02d}: 6.4e+01 3.2e+01\nS_rect_{i:02d}: 4.8e+01 2.0e+01\nP_rect_{i:02d}: {projection(i)}\n"]
        lines += [f"K_{i:02d}: 98 0 {32 + i} 0 97 16 0 0 1\nD_{i:02d}: -0.37 0.2 0.002 0.001 -0.07\n"]
        lines += [CALIBRATION.replace("R_rect_00", f"R_rect_{i:02d}")] if i else []
    (date / "calib_cam_to_cam.txt").write_text("calib_time: 09-Jan-2012 13:57:47\n" + "".join(lines))
    (date / "calib_velo_to_cam.txt").write_text(VELODYNE)
    (date / "calib_imu_to_velo.txt").write_text(IMU)
    for number in range(frames):
        for i in cameras:
            path = drive / f"image_{i:02d}/data/{number:010d}.png"
            write_image(path, number, RECTIFIED if synced else UNRECTIFIED, i > 1)
        write_sweep(drive / f"velodyne_points/data/{number:010d}.{'bin' if synced else 'txt'}", number)
        (drive / "oxts/data").mkdir(parents=True, exist_ok=True)
        packet = [PACKET[0], PACKET[1] + 1e-5 * number, *PACKET[2:]]
        (drive / f"oxts/data/{number:010d}.txt").write_text(" ".join(map(str, packet)))
    for name, first in STAMPS.items():
        if (drive / name).is_dir():
            (drive / name / "timestamps.txt").write_text(stamp_lines(first, frames))
    for suffix, shift in (("start", -51_636_169), ("end", 51_636_169)):
        path = drive / f"velodyne_points/timestamps_{suffix}.txt"
        path.write_text(stamp_lines(STAMPS["velodyne_points"] + shift, frames))
    if synced:
        (drive / "tracklet_labels.xml").write_text(TRACKLETS)
    return drive


def odometry_sequence(root: Path, name: str = "07", poses: bool = True) -> Path:
    """sequences/NN, with its poses: the left camera goes 1 m forward with every frame."""
    sequence = root / "sequences" / name
    for number in range(FRAMES):
        for i in range(4):
            write_image(sequence / f"image_{i}/{number:06d}.png", number, RECTIFIED, i > 1)
        write_sweep(sequence / f"velodyne/{number:06d}.bin", number)
    calibration = "".join(f"P{i}: {projection(i)}\n" for i in range(4))
    (sequence / "calib.txt").write_text(f"{calibration}Tr: {VELODYNE_LINE}\n")
    (sequence / "times.txt").write_text("0.000000e+00\n1.037359e-01\n2.073465e-01\n")
    if poses:
        (root / "poses").mkdir(exist_ok=True)
        (root / f"poses/{name}.txt").write_text("".join(f"1 0 0 0 0 1 0 0 0 0 1 {z}\n" for z in range(FRAMES)))
    return sequence


def tracking_split(root: Path, name: str = "0003") -> Path:
    """training, with one sequence whose second sweep is missing."""
    split = root / "training"
    for number in range(FRAMES):
        write_image(split / f"image_02/{name}/{number:06d}.png", number, RECTIFIED, True)
        if number != 1:
            write_sweep(split / f"velodyne/{name}/{number:06d}.bin", number)
    for folder in ("calib", "oxts", "label_02"):
        (split / folder).mkdir(exist_ok=True)
    calibration = "".join(f"P{i}: {projection(i)}\n" for i in range(4))
    calibration += f"R_rect {CALIBRATION.split(': ')[1]}Tr_velo_cam {VELODYNE_LINE}\nTr_imu_velo {IMU_LINE}\n"
    (split / f"calib/{name}.txt").write_text(calibration)
    (split / f"oxts/{name}.txt").write_text((" ".join(map(str, PACKET)) + "\n") * FRAMES)
    (split / f"label_02/{name}.txt").write_text(
        "0 4 Car 0 0 0.1 0 0 9 9 1.5 1.8 4.2 -2.0 1.6 10.0 -1.5707963\n"
        "0 -1 DontCare -1 -1 -10 0 0 9 9 -1000 -1000 -1000 -10 -1 -1 -1\n"
    )
    return split
