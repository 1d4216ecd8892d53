# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os
from pathlib import Path

import pytest
from helpers.images import write_images
from rich.console import Console

from perception.errors import DataError, PerceptionError
from perception.labelling.failed import FAILED, read_failed, read_inputs
from perception.labelling.ray_cluster import Cluster
from perception.labelling.run import LabelOptions, jobs, run_label


def test_several_inputs_have_a_folder_each(tmp_path: Path) -> None:
    found = jobs(LabelOptions(inputs=[tmp_path / "a", tmp_path / "b"], output=tmp_path / "out"))
    assert [(job.path, job.output) for job in found] == [
        (tmp_path / "a", tmp_path / "out/a"),
        (tmp_path / "b", tmp_path / "out/b"),
    ]
    (alone,) = jobs(LabelOptions(inputs=[tmp_path / "a"], output=tmp_path / "out"))
    assert alone.output == tmp_path / "out"
    (listed,) = jobs(LabelOptions(inputs=[tmp_path / "a"], output=tmp_path / "out", listed=True))
    assert listed.output == tmp_path / "out/a"


def test_without_a_folder_they_lie_below_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (job,) = jobs(LabelOptions(inputs=[Path("drives/a")]))
    assert (job.path, job.output) == (tmp_path / "drives/a", tmp_path / "labels/a")


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="two inputs are called a"):
        jobs(LabelOptions(inputs=[tmp_path / "x/a", tmp_path / "b", tmp_path / "y/a"], output=tmp_path))


def test_what_is_asked_for_twice_is_made_once_and_the_order_of_sensors_is_none(tmp_path: Path) -> None:
    (job,) = jobs(LabelOptions(inputs=[tmp_path], write=("video", "masks", "video"), without=("rgb", "lidar", "rgb")))
    assert job.outputs == ("video", "masks")
    assert job.network.without == ("lidar", "rgb")


def test_threads_and_workers(tmp_path: Path) -> None:
    cores = len(os.sched_getaffinity(0))
    (job,) = jobs(LabelOptions(inputs=[tmp_path]))
    assert (job.network.threads, job.workers) == (cores, cores)
    (job,) = jobs(LabelOptions(inputs=[tmp_path], threads=6))
    assert (job.network.threads, job.workers) == (6, 6)
    (job,) = jobs(LabelOptions(inputs=[tmp_path], threads=6, workers=2))
    assert (job.network.threads, job.workers) == (6, 2)
    (job,) = jobs(LabelOptions(inputs=[tmp_path], cluster=Cluster()))
    assert (job.network.threads, job.workers) == (1, 1)


def test_a_rig_file_beside_the_input_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    assert jobs(LabelOptions(inputs=[tmp_path / "bag"]))[0].rig is None
    (tmp_path / "rig.yaml").write_text("image: /cam\n")
    assert jobs(LabelOptions(inputs=[tmp_path / "bag"]))[0].rig == tmp_path / "rig.yaml"


def test_options_that_do_not_go_together_are_told_before_anything_is_labelled(tmp_path: Path) -> None:
    console = Console(quiet=True)
    with pytest.raises(PerceptionError, match="--workers"):
        run_label(LabelOptions(inputs=[tmp_path], cluster=Cluster(), workers=2), console)
    with pytest.raises(DataError):
        jobs(LabelOptions(inputs=[tmp_path], topics=str(tmp_path / "no_such.yaml")))


def test_what_could_not_be_labelled_is_listed_until_it_is(tiny_model: Path, tmp_path: Path) -> None:
    good, empty, gone = write_images(tmp_path / "good", 1), tmp_path / "empty", tmp_path / "gone"
    empty.mkdir()
    listing = tmp_path / "out" / FAILED

    def run(*inputs: Path) -> list[str]:
        options = LabelOptions(
            inputs=inputs, output=tmp_path / "out", listed=True, write=["masks"], model=str(tiny_model), threads=1
        )
        run_label(options, Console(quiet=True))
        return [Path(each["input"]).name for each in read_failed(listing)]

    assert run(good, empty, gone) == ["empty", "gone"]
    (empty / "000.png").write_bytes((good / "000.png").read_bytes())
    assert run(*map(Path, read_inputs(listing))) == ["gone"]
    assert run(good) == ["gone"], "what an earlier run could not label stays until it is labelled"
    write_images(gone, 1)
    assert run(gone) == []
    assert not listing.exists()
