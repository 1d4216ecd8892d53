# SPDX-License-Identifier: Apache-2.0
"""A tiny data set in nuScenes' layout: one scene of two keyframes, whose numbers can be followed by hand.

The LiDAR is 1 m ahead of the vehicle's origin and 2 m up, looking ahead; CAM_FRONT 1.5 m ahead and 1.5 m up, with a
focal length of 1000 and its centre at (800, 450); CAM_BACK at the same place, looking back.

First keyframe: at the sweep the vehicle is at (100, 50) of the world and looks along its y axis; 40 ms later, when the
image is taken, it has driven 0.4 m. The first point, 20.9 m ahead of the LiDAR, 2 m to its right and 1.5 m below it, is
then 20 m ahead of the camera, 2 m to its right and 1 m below it: at pixel (900, 500).

Second keyframe: at the origin the vehicle turns left by 90° between sweep and image. The first point, 21.5 m to the
left of the LiDAR, 1 m behind it and 1.5 m below, is then 20 m ahead of the camera and 1 m below: at pixel (800, 500).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

WIDTH, HEIGHT = 1600, 900
START_US = 1_532_402_927_600_000
LATER_US = 40_000
"""From a sweep to its image."""
STEP_US = 500_000

HALF = np.sqrt(0.5)
STRAIGHT, LEFT, RIGHT = [1.0, 0, 0, 0], [HALF, 0, 0, HALF], [HALF, 0, 0, -HALF]
"""Quaternions w, x, y, z: no turn, and turns by 90° about z."""

CATEGORIES = {
    0: "noise",
    2: "human.pedestrian.adult",
    14: "vehicle.bicycle",
    17: "vehicle.car",
    24: "flat.driveable_surface",
    28: "static.manmade",
}

FIRST = np.array(
    [
        [2, 20.9, -1.5, 51, 3],  # the known point
        [-3, 10, -1, 255, 4],  # a bicycle with a rider
        [3, 10, -1, 0, 4],  # a bicycle without
        [0, 0, 0, 0, 5],  # no echo
        [-5, 12, -1, 10, 6],
        [5, 12, -1, 10, 6],
        [0, 0.5, 9, 10, 7],
    ],
    np.float32,
)
FIRST_IDS = np.array([24, 14, 14, 17, 2, 28, 0], np.uint8)
SECOND = np.array([[-21.5, -1, -1.5, 102, 3], [-21.5, -1.5, -1.5, 102, 4]], np.float32)
SECOND_IDS = np.array([17, 28], np.uint8)
_POSES = (
    {"lidar": ([100.0, 50, 0], LEFT), "camera": ([100.0, 50.4, 0], LEFT)},
    {"lidar": ([0.0, 0, 0], STRAIGHT), "camera": ([0.0, 0, 0], LEFT)},
)
"""Where the vehicle is at sweep and image of each keyframe."""


def write_nuscenes(root: Path, scene: str = "scene-0103", version: str = "v1.0-mini") -> Path:
    """The data set without labels; returns its folder."""
    seen = {
        "CAM_FRONT": ([1.5, 0, 1.5], [0.5, -0.5, 0.5, -0.5]),
        "CAM_BACK": ([1.5, 0, 1.5], [0.5, -0.5, -0.5, 0.5]),
    }
    mounts = {"LIDAR_TOP": ([1.0, 0, 2.0], RIGHT), **seen}
    focal = [[1000.0, 0, 800], [0, 1000, 450], [0, 0, 1]]
    tables: dict[str, list[dict[str, Any]]] = {
        "log": [{"token": "log", "vehicle": "n015"}],
        "scene": [{"token": "scene", "name": scene, "log_token": "log"}],
        "sample": [
            {"token": f"sample{number}", "scene_token": "scene", "timestamp": START_US + number * STEP_US}
            for number in range(2)
        ],
        "sensor": [{"token": f"sensor {name}", "channel": name} for name in mounts],
        "calibrated_sensor": [
            {
                "token": f"mount {name}",
                "sensor_token": f"sensor {name}",
                "translation": translation,
                "rotation": rotation,
                "camera_intrinsic": focal if name in seen else [],
            }
            for name, (translation, rotation) in mounts.items()
        ],
        "sample_data": [],
        "ego_pose": [],
        "category": [{"token": f"category{index}", "index": index, "name": name} for index, name in CATEGORIES.items()],
    }
    for number, points in enumerate((FIRST, SECOND)):
        for name in mounts:
            sensor = "camera" if name in seen else "lidar"
            stamp = START_US + number * STEP_US + (LATER_US if name in seen else 0)
            file = f"samples/{name}/{stamp}.{'jpg' if name in seen else 'pcd.bin'}"
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            if name in seen:
                level = 60 + 20 * number + 100 * (name == "CAM_BACK")
                cv2.imwrite(str(root / file), np.full((HEIGHT, WIDTH, 3), level, np.uint8))
            else:
                points.astype("<f4").tofile(root / file)
            token = f"{name}{number}"
            tables["sample_data"].append(
                {
                    "token": token,
                    "sample_token": f"sample{number}",
                    "ego_pose_token": token,
                    "calibrated_sensor_token": f"mount {name}",
                    "timestamp": stamp,
                    "is_key_frame": True,
                    "filename": file,
                    "width": WIDTH if name in seen else 0,
                    "height": HEIGHT if name in seen else 0,
                }
            )
            translation, rotation = _POSES[number][sensor]
            tables["ego_pose"].append({"token": token, "translation": translation, "rotation": rotation})
    for name, rows in tables.items():
        write_table(root, name, rows, version)
    return root


def write_table(root: Path, name: str, rows: list[dict[str, Any]], version: str = "v1.0-mini") -> None:
    """A table, in place of one that is there."""
    (root / version).mkdir(exist_ok=True)
    (root / version / f"{name}.json").write_text(json.dumps(rows))


def write_labels(root: Path, kind: str = "lidarseg") -> None:
    """Labels of every point, as nuScenes-lidarseg or panoptic."""
    rows = []
    for number, ids in enumerate((FIRST_IDS, SECOND_IDS)):
        token = f"LIDAR_TOP{number}"
        file = f"{kind}/v1.0-mini/{token}_{kind}.{'bin' if kind == 'lidarseg' else 'npz'}"
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        if kind == "lidarseg":
            ids.tofile(root / file)
        else:
            np.savez_compressed(root / file, data=ids.astype(np.uint16) * 1000 + 7)
        rows.append({"token": token, "sample_data_token": token, "filename": file})
    write_table(root, kind, rows)


def write_rider(root: Path) -> None:
    """The boxes of the two bicycles of the first keyframe, of which one has a rider.

    11 m ahead of the vehicle, which looks along the world's y axis, and 3 m to its left and its right; 1 m up.
    """
    boxes = {"cycle.with_rider": [97.0, 61, 1], "cycle.without_rider": [103.0, 61, 1]}
    write_table(root, "attribute", [{"token": name, "name": name} for name in boxes])
    rows = [
        {
            "token": name,
            "sample_token": "sample0",
            "attribute_tokens": [name],
            "translation": translation,
            "rotation": LEFT,
            "size": [0.6, 1.8, 1.6],
        }
        for name, translation in boxes.items()
    ]
    write_table(root, "sample_annotation", rows)
