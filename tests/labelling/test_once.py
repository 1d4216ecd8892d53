# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.images import write_images
from helpers.models.foreign import CITY, copying, describe

from perception.errors import DataError
from perception.labelling.job import Job
from perception.labelling.once import alone, key_of
from perception.labelling.workers import Network
from perception.recordings.opening import Reading


@pytest.fixture
def job(tiny_model: Path, tmp_path: Path) -> Job:
    images = write_images(tmp_path / "images", 2)
    return Job(images, tmp_path / "out", ("masks",), Network(str(tiny_model), threads=1))


def test_the_key_is_of_everything_that_the_outputs_depend_on(job: Job, tmp_path: Path) -> None:
    rig = tmp_path / "rig.yaml"
    rig.write_text("image: /a\n")
    jobs = [
        job,
        replace(job, outputs=("masks", "video")),
        replace(job, cloud="pcd"),
        replace(job, storage="sqlite3"),
        replace(job, rig=rig),
        replace(job, topics="kitti2bag"),
        replace(job, calibration=rig),
        replace(job, reading=Reading("infrared")),
        replace(job, network=replace(job.network, without=("lidar",))),
        replace(job, network=replace(job.network, model="dual_branch_s")),
        replace(job, network=replace(job.network, model="dual_branch_s@0.7")),
        replace(job, path=write_images(tmp_path / "others", 2)),
    ]
    keys = [key_of(each) for each in jobs]
    assert len(set(keys)) == len(keys)
    rig.write_text("image: /b\n")
    assert key_of(replace(job, rig=rig)) not in keys
    (job.path / "001.png").write_bytes((job.path / "001.png").read_bytes() + b" ")
    assert key_of(job) not in keys


def test_it_is_not_of_threads_or_of_what_is_written(job: Job) -> None:
    before = key_of(job)
    assert key_of(replace(job, network=replace(job.network, threads=4), workers=3)) == before
    inside = replace(job, output=job.path / "labels")
    empty = key_of(inside)
    write_images(inside.output, 1)
    assert key_of(inside) == empty


HOLD = "import sys, time, fcntl; f = open(sys.argv[1], 'r+b'); fcntl.flock(f, fcntl.LOCK_EX); print(); time.sleep(99)"


def test_one_process_at_a_time_and_a_killed_one_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "label.json"
    path.write_text("{}")
    with subprocess.Popen([sys.executable, "-u", "-c", HOLD, str(path)], stdout=subprocess.PIPE) as other:
        assert other.stdout
        other.stdout.read(1)
        with pytest.raises(DataError, match="another process labels into it"), alone(path, 0.1):
            pass
        other.kill()
    began = time.monotonic()
    with alone(path, 5):
        assert time.monotonic() - began < 5


def test_a_camera_of_a_topics_file_brings_its_content_into_the_key(job: Job, tmp_path: Path) -> None:
    rig = tmp_path / "topics.yaml"
    rig.write_text("cameras: {front: {image: /a}, back: {image: /b}}\n")
    front = replace(job, topics=f"{rig}:front")
    before = key_of(front)
    assert before != key_of(replace(job, topics=f"{rig}:back"))
    rig.write_text("cameras: {front: {image: /c}, back: {image: /b}}\n")
    assert key_of(front) != before


def test_what_describes_a_model_of_another_s_counts_as_the_model(job: Job, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path = describe(copying(tmp_path / "model.onnx"), CITY)
    foreign = replace(job, network=replace(job.network, model=str(path)))
    before = key_of(foreign)
    describe(path, {**CITY, "threshold": 0.4})
    assert key_of(foreign) != before
