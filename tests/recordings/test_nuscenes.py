# SPDX-License-Identifier: Apache-2.0
"""nuScenes as a recording: frames of one camera, and their messages."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers.datasets.nuscenes import START_US, write_nuscenes, write_table

from perception.errors import DataError
from perception.recordings.nuscenes import camera_of, nuscenes_frames
from perception.recordings.opening import kind_of, open_messages, open_recording
from perception.sensors.projection import project_sweep


def test_it_is_a_recording_of_its_front_camera(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    assert kind_of(root) == "nuScenes data set"
    frames = open_recording(root)
    assert list(frames.names) == ["scene-0103/1532402927640000", "scene-0103/1532402928140000"]
    assert list(frames.stamps_ns) == [(START_US + 40_000) * 1000, (START_US + 540_000) * 1000]
    assert [frame.modalities for frame in frames] == [("rgb", "lidar")] * 2
    seen = project_sweep(frames[0])
    assert seen is not None
    np.testing.assert_allclose(seen.uv[0], (900, 500), atol=0.01)
    assert list(frames.remarks) == []


def test_a_file_of_topics_names_another_camera(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    file = tmp_path / "back.yaml"
    file.write_text("image/compressed: /CAM_BACK/image_rect_compressed\n")
    for topics in ({"image": "CAM_BACK"}, str(file)):
        rgb = open_recording(root, topics)[0].rgb
        assert rgb is not None
        assert abs(int(rgb[0, 0, 0]) - 160) < 4
    assert camera_of(None) == "CAM_FRONT"
    with pytest.raises(DataError, match="camera '/front/image': nuScenes has CAM_FRONT, "):
        camera_of({"image": "/front/image"})


def test_images_between_keyframes_take_the_nearest_sweep(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    rows = json.loads((root / "v1.0-mini/sample_data.json").read_text())
    front = next(row for row in rows if row["token"] == "CAM_FRONT0")
    between = {**front, "token": "between", "timestamp": START_US + 210_000, "is_key_frame": False}
    near = {**front, "token": "near", "timestamp": START_US - 20_000, "is_key_frame": False}
    write_table(root, "sample_data", [*rows, between, near])
    frames = nuscenes_frames(root)
    # 20 ms before the first sweep, 40 ms after it, 210 ms after it and therefore without, and 40 ms after the second.
    assert [frame.points is None for frame in frames] == [False, False, True, False]


def test_its_messages_have_the_camera_and_the_sweep(tmp_path: Path) -> None:
    source = open_messages(write_nuscenes(tmp_path))
    assert set(source.topics) == {"/image", "/camera_info", "/points", "/tf_static"}
    messages = list(source.messages(source.topics, source.start_ns, source.end_ns))
    assert sum(message.topic == "/points" for message in messages) == 2


def test_a_scene_without_the_camera_is_told(tmp_path: Path) -> None:
    root = write_nuscenes(tmp_path)
    rows = json.loads((root / "v1.0-mini/sample_data.json").read_text())
    write_table(root, "sample_data", [row for row in rows if not row["token"].startswith("CAM_FRONT")])
    with pytest.raises(DataError, match="no image of CAM_FRONT in any scene"):
        nuscenes_frames(root)
    shutil.rmtree(root / "v1.0-mini")
    with pytest.raises(DataError, match="no nuScenes"):
        nuscenes_frames(root)
