# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from helpers.images import write_images

from perception.datasets.io.files import read_bytes
from perception.errors import DataError
from perception.labelling.job import Job, attempt, run_job
from perception.labelling.once import DONE, MANIFEST
from perception.labelling.report import REFUSED, STORAGE, Labelled, Refused
from perception.labelling.workers import Network
from perception.reporting.progress import Steps


@pytest.fixture
def job(tiny_model: Path, tmp_path: Path) -> Job:
    """Five images of noise in blocks, to be labelled by the tiny network."""
    images = write_images(tmp_path / "images", 5)
    return Job(images, tmp_path / "out", ("masks",), Network(str(tiny_model), threads=1))


def run(job: Job) -> Labelled:
    from rich.console import Console

    return run_job(job, Steps(Console(quiet=True)))


def test_every_frame_is_labelled_once_and_counted_again(job: Job) -> None:
    first, second = run(job), run(job)
    assert (first.summary.frames, first.summary.labelled, first.summary.kept) == (5, 5, 0)
    assert (second.summary.labelled, second.summary.kept, second.fps) == (0, 5, None)
    assert second.summary.share == first.summary.share
    assert sum(first.summary.share.values()) == pytest.approx(1, abs=1e-4)
    assert first.summary.sensors == {"rgb": 5}
    assert first.summary.weights == {"rgb": 1.0}
    (job.output / "labels/003.png").unlink()
    assert run(job).summary.labelled == 1


def test_the_folder_says_what_it_was_made_of(job: Job) -> None:
    run(job)
    manifest = json.loads((job.output / MANIFEST).read_text())
    assert manifest["input"] == str(job.path.resolve())
    assert manifest["without"] == []
    assert len(manifest["weights_sha256"]) == 64


def test_labels_of_another_input_or_setting_are_not_mixed(job: Job, tmp_path: Path) -> None:
    run(job)
    other = write_images(tmp_path / "others", 2)
    with pytest.raises(DataError, match="holds labels of another input"):
        run(replace(job, path=other))
    with pytest.raises(DataError, match="without"):
        run(replace(job, network=replace(job.network, without=("depth",))))
    assert run(job).summary.kept == 5  # nothing was lost by the attempts


def test_a_folder_of_something_else_is_left_alone(job: Job) -> None:
    job.output.mkdir()
    (job.output / "notes.txt").write_text("mine")
    found = attempt(job)
    assert isinstance(found, Refused)
    assert "not empty" in found.error
    assert [path.name for path in job.output.iterdir()] == ["notes.txt"]


def test_a_frame_that_cannot_be_read_is_named_and_the_others_are_labelled(job: Job) -> None:
    broken = job.path / "002.png"
    broken.write_bytes(broken.read_bytes()[:80])
    found = run(job)
    assert (found.summary.frames, found.summary.labelled) == (5, 4)
    assert list(found.summary.failed) == ["002"]


def test_annotations_are_made_anew_only_for_new_labels(job: Job) -> None:
    both = replace(job, outputs=("masks", "coco"))
    run(both)
    made = (job.output / "coco.json").stat().st_mtime_ns
    assert "coco" not in run(both).seconds
    (job.output / "labels/003.png").unlink()
    assert "coco" in run(both).seconds
    assert (job.output / "coco.json").stat().st_mtime_ns > made


def test_video_and_bag_are_made_anew_only_for_new_labels(job: Job) -> None:
    both = replace(job, outputs=("masks", "video"))
    run(both)
    (video,) = job.output.glob("overlay.*")
    made = video.stat().st_mtime_ns
    assert "video" not in run(both).seconds
    assert video.stat().st_mtime_ns == made
    (job.output / "labels/001.png").unlink()
    assert "video" in run(both).seconds
    assert video.stat().st_mtime_ns > made


def test_what_is_complete_is_told_without_being_opened(job: Job, tmp_path: Path) -> None:
    first = run(job)
    assert (job.output / DONE).is_file()
    again = run(job)
    assert (again.summary.frames, again.summary.kept, again.summary.labelled) == (5, 5, 0)
    assert again.summary.share == first.summary.share
    assert again.provenance == first.provenance
    assert set(again.seconds) == {"total"}, "it was opened"


def test_a_frame_that_failed_is_tried_again_by_the_next_run(job: Job) -> None:
    broken = job.path / "002.png"
    whole = broken.read_bytes()
    broken.write_bytes(whole[:80])
    assert len(run(job).summary.failed) == 1
    broken.write_bytes(whole)
    assert run(job).summary.labelled == 1
    assert run(job).seconds.keys() == {"total"}


def test_another_recording_in_the_place_of_this_one_is_not_taken_for_it(job: Job) -> None:
    run(job)
    (job.path / "000.png").write_bytes((job.path / "001.png").read_bytes())
    with pytest.raises(DataError, match="holds labels of another recording"):
        run(job)


def test_a_folder_of_images_may_grow(job: Job) -> None:
    run(job)
    (job.path / "005.png").write_bytes((job.path / "001.png").read_bytes())
    found = run(job).summary
    assert (found.frames, found.kept, found.labelled) == (6, 5, 1)


def test_a_worker_killed_at_its_beginning_does_not_close_the_folder(job: Job) -> None:
    job.output.mkdir()
    (job.output / f".{MANIFEST}.0a1b2c3d.part").write_text("{")
    assert run(job).summary.labelled == 5


def test_storage_that_fails_is_told_from_files_that_are_not_there(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    job.output.parent.joinpath("nowhere").touch()
    found = attempt(replace(job, output=job.output.parent / "nowhere/out"))
    assert isinstance(found, Refused)
    assert found.cause == REFUSED

    def fails(path: Path) -> str:
        raise OSError(5, "Input/output error", str(path))

    monkeypatch.setattr("perception.labelling.job.key_of", lambda job: fails(job.path))
    found = attempt(job)
    assert isinstance(found, Refused)
    assert (found.cause, found.error) == (STORAGE, f"{job.path}: Input/output error")
    monkeypatch.undo()
    monkeypatch.setattr(Path, "read_bytes", lambda path: fails(path))  # as a reader of ours tells it
    with pytest.raises(DataError) as told:
        read_bytes(job.path / "000.png")
    monkeypatch.setattr("perception.labelling.job.key_of", lambda job: _raise(told.value))
    found = attempt(job)
    assert isinstance(found, Refused)
    assert found.cause == STORAGE


def _raise(error: Exception) -> str:
    raise error


def test_hours_are_of_recordings_that_have_times(job: Job, kitti_drive: Path) -> None:
    assert run(job).drive_s is None
    assert run(replace(job, path=kitti_drive, output=job.output / "../kitti")).drive_s == pytest.approx(1.1, abs=0.02)


def test_what_a_network_tells_apart_is_written_in_every_form(job: Job, tiny_instances_model: Path) -> None:
    network = replace(job.network, model=str(tiny_instances_model))
    job = replace(job, network=network, outputs=("instances", "panoptic", "kitti", "video"))
    run(job)
    there = {path.name for path in job.output.iterdir()}
    assert {"instances", "panoptic", "panoptic.json", "label_2", "labels"} <= there
    assert len(json.loads((job.output / "panoptic.json").read_text())["annotations"]) == 5
    assert len(list((job.output / "label_2").glob("*.txt"))) == 5
    before = (job.output / "panoptic.json").stat().st_mtime_ns
    assert run(job).summary.kept == 5
    assert (job.output / "panoptic.json").stat().st_mtime_ns == before
    (job.output / "panoptic/002.png").unlink()
    assert run(job).summary.kept == 5
    assert (job.output / "panoptic/002.png").is_file()


def test_instances_that_the_network_does_not_have_are_refused(job: Job) -> None:
    found = attempt(replace(job, outputs=("panoptic",)))
    assert isinstance(found, Refused)
    assert "the network does not tell things apart" in found.error
