# SPDX-License-Identifier: Apache-2.0
"""`perception label` from end to end: every frame, resumed where it stopped, and mistakes in one line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from helpers import rigs
from helpers.images import contents, write_images
from rich.console import Console

from perception.bags.frames import BagFrames
from perception.bags.raw import RawBagWriter
from perception.bags.sources import open_bag
from perception.bags.writer import write_bag
from perception.cli import label
from perception.cli.main import main
from perception.frame import CameraModel, Frame
from perception.labelling.clouds import FORMATS
from perception.labelling.files import OUTPUTS
from perception.labelling.report import Overturn
from perception.labelling.run import LabelOptions, run_label
from perception.labelling.table import notes
from perception.messages.stamps import with_stamp
from perception.pipeline import Pipeline
from perception.recordings.kitti import kitti_frames
from perception.simulation.drive import SimulatedDrive
from perception.simulation.storage import write_drive


def run(*arguments: object, model: Path) -> int:
    return main(["label", *map(str, arguments), "--model", str(model), "--threads", "1"])


def report_of(path: Path) -> Any:
    return json.loads(path.read_text())


def test_the_options_are_what_can_be_written() -> None:
    assert set(label.WRITABLE) == set(OUTPUTS)
    assert label.CLOUDS == FORMATS


def test_a_drive_gets_everything(kitti_drive: Path, tiny_instances_model: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    assert run(kitti_drive, "-o", out, "--write", *OUTPUTS, "--json", report, model=tiny_instances_model) == 0
    names = [f"{number:010d}" for number in range(4)]
    assert sorted(path.stem for path in (out / "labels").iterdir()) == names
    expected = Pipeline.load(tiny_instances_model)(kitti_frames(kitti_drive)[1]).labels
    np.testing.assert_array_equal(cv2.imread(str(out / "labels/0000000001.png"), -1), expected)
    video = cv2.VideoCapture(str(out / "overlay.mp4"))
    assert (video.get(cv2.CAP_PROP_FRAME_COUNT), round(video.get(cv2.CAP_PROP_FPS))) == (4, 10)
    assert len(BagFrames(out / "labelled_bag")) == 4
    assert len(json.loads((out / "coco.json").read_text())["images"]) == 4
    assert len(json.loads((out / "panoptic.json").read_text())["annotations"]) == 4
    assert sorted(path.stem for path in (out / "label_2").iterdir()) == names
    found = report_of(report)
    assert (found["frames"], found["labelled"], found["failed"]) == (4, 4, 0)
    assert len(found["weights_sha256"]) == 64
    assert sum(found["share"].values()) == pytest.approx(1, abs=1e-3)
    assert found["inputs"][0]["sensors"] == {"rgb": 3, "lidar": 3}
    assert found["fps"] > 0
    assert "openvino" in found["versions"]


def test_what_is_there_is_not_made_again(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    out, report = tmp_path / "out", tmp_path / "report.json"
    assert run(kitti_drive, "-o", out, model=tiny_model) == 0
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    assert run(kitti_drive, "-o", out, "--json", report, model=tiny_model) == 0
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()} == before
    assert (report_of(report)["labelled"], report_of(report)["inputs"][0]["kept"]) == (0, 4)
    (out / "labels/0000000002.png").unlink()
    assert run(kitti_drive, "-o", out, "--write", "masks", "video", "bag", "--json", report, model=tiny_model) == 0
    assert report_of(report)["labelled"] == 4, "the bag needs the confidence, which was not kept"
    assert (out / "overlay.mp4").stat().st_mtime_ns > before[out / "overlay.mp4"]


def test_a_killed_run_is_gone_on_with(tiny_model: Path, tmp_path: Path) -> None:
    images, out = write_images(tmp_path / "images", 300, 320, 240), tmp_path / "out"
    arguments = ["label", str(images), "-o", str(out), "--write", "masks", "colours", "--model", str(tiny_model)]
    command = [sys.executable, "-m", "perception", *arguments, "--workers", "2"]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    records = out / "frames"
    deadline = time.monotonic() + 120
    while not records.is_dir() or len(list(records.glob("[0-9]*.json"))) < 5:
        assert process.poll() is None, "it was over before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    while _alive(process.pid):  # its workers see that it is gone
        assert time.monotonic() < deadline
        time.sleep(0.05)
    done = {path: path.stat().st_mtime_ns for path in records.glob("[0-9]*.json")}
    assert 5 <= len(done) < 300
    assert main([*arguments, "--threads", "1"]) == 0
    assert {path: path.stat().st_mtime_ns for path in done} == done
    assert main(["label", str(images), "-o", str(tmp_path / "whole"), *arguments[4:], "--threads", "1"]) == 0
    assert contents(out) == contents(tmp_path / "whole")


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def test_bag_folder_and_simulated_drive_at_once(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bag(kitti_frames(kitti_drive), tmp_path / "bag")
    images = write_images(tmp_path / "images", 2)
    simulated = tmp_path / "simulated"
    write_drive(SimulatedDrive(seed=1, frames=1, rate_hz=10), simulated)
    out, report = tmp_path / "out", tmp_path / "report.json"
    inputs = [tmp_path / "bag", images, simulated]
    assert run(*inputs, "-o", out, "--write", "masks", "--json", report, model=tiny_model) == 0
    assert [each["frames"] for each in report_of(report)["inputs"]] == [4, 2, 1]
    assert len(list((out / "bag/labels").iterdir())) == 4
    assert report_of(report)["inputs"][2]["sensors"] == dict.fromkeys(("rgb", "depth", "infrared", "lidar"), 1)
    assert "7 frames labelled" in capsys.readouterr().out


def test_one_broken_input_stops_no_other(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images, empty = write_images(tmp_path / "images", 3), tmp_path / "empty"
    empty.mkdir()
    (images / "001.png").write_bytes(b"\x89PNG")
    report = tmp_path / "report.json"
    assert run(empty, images, "-o", tmp_path / "out", "--json", report, model=tiny_model) == 2
    said = capsys.readouterr().err.splitlines()[-1]
    assert said.startswith(f"perception: {empty}: is an empty folder; expected a bag (metadata.yaml")
    assert said.endswith(" (and 1 more: --json lists them)")
    broken = report_of(report)["inputs"][1]
    assert broken["labelled"] == 2
    assert "001.png: truncated PNG" in broken["failed"]["001"]
    assert (tmp_path / "out/images/overlay.mp4").is_file()


def test_mistakes_are_one_line(tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    images = write_images(tmp_path / "images", 1)

    def line(*arguments: object) -> str:
        assert run(*arguments, model=tiny_model) == 2
        return capsys.readouterr().err.splitlines()[-1]

    assert "no such bag, drive or folder" in line(tmp_path / "nowhere", "-o", tmp_path / "out")
    assert "not made by `perception label`" in line(images, "-o", images)
    assert "two inputs are called images" in line(images, images, "-o", tmp_path / "out")
    assert run(images, "-o", tmp_path / "out", model=tiny_model) == 0
    others = write_images(tmp_path / "others", 1)
    assert "labels of another input" in line(others, "-o", tmp_path / "out")
    manifest = tmp_path / "out/label.json"
    manifest.write_text(json.dumps({**report_of(manifest), "weights_sha256": "0"}))
    assert "labels of another weights_sha256" in line(images, "-o", tmp_path / "out")
    assert "--workers" in line(images, "-o", tmp_path / "ray", "--ray", "auto", "--workers", "2")
    assert "--memory and --retries are for --ray" in line(images, "-o", tmp_path / "out", "--retries", "2")


CALIBRATION = """\
image_width: 96
image_height: 64
camera_name: camera
projection_matrix: {{rows: 3, cols: 4, data: [{focal}, 0, 48, 0, 0, {focal}, 32, 0, 0, 0, 1, 0]}}
"""


def test_another_configuration_is_not_taken_for_this_one(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    images, out, calibration = write_images(tmp_path / "images", 1), tmp_path / "out", tmp_path / "camera.yaml"
    write_bag(kitti_frames(kitti_drive), tmp_path / "bag")
    swapped = tmp_path / "swapped.yaml"
    swapped.write_text("infrared: /image\nimage: /infrared\n")
    options = ["-o", out, "--write", "masks"]

    def said(*arguments: object) -> str:
        assert run(*arguments, model=tiny_model) == 2
        return capsys.readouterr().err.splitlines()[-1]

    assert run(images, *options, model=tiny_model) == 0
    calibration.write_text(CALIBRATION.format(focal=70))
    assert "labels of another calibration (calibration was None, is " in said(
        images, *options, "--calibration", calibration
    )
    line = said(images, *options, "--engine", "openvino-auto")
    assert "labels of another engine (engine was openvino CPU " in line
    assert "is openvino AUTO); name a new folder" in line
    options[1] = tmp_path / "calibrated"
    assert run(images, *options, "--calibration", calibration, model=tiny_model) == 0
    assert run(images, *options, "--calibration", calibration.rename(tmp_path / "b.yaml"), model=tiny_model) == 0
    (tmp_path / "b.yaml").write_text(CALIBRATION.format(focal=71))
    assert "labels of another calibration" in said(images, *options, "--calibration", tmp_path / "b.yaml")
    options[1] = tmp_path / "of_bag"
    assert run(tmp_path / "bag", *options, model=tiny_model) == 0
    line = said(tmp_path / "bag", *options, "--topics", swapped)
    assert "topics was {}, is {'image': '/infrared', 'infrared': '/image'}" in line


def test_a_bag_of_another_storage_and_broken_files_are_made_again(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    options = [kitti_drive, "-o", out, "--write", "masks", "video", "bag"]
    assert run(*options, model=tiny_model) == 0
    whole = {name: (out / name).read_bytes() for name in ("labels/0000000001.png", "overlay.mp4")}
    for name, content in whole.items():
        (out / name).write_bytes(content[: len(content) // 2])
    assert run(*options, "--storage", "sqlite3", model=tiny_model) == 0
    assert (out / "labels/0000000001.png").read_bytes() == whole["labels/0000000001.png"]
    assert cv2.VideoCapture(str(out / "overlay.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 4
    assert [path.suffix for path in sorted((out / "labelled_bag").iterdir())] == [".db3", ".yaml"]


def test_the_shipped_weights_label_a_real_drive(real_data: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    drive = real_data / "kitti_raw/2011_09_26/2011_09_26_drive_0005_sync"
    assert main(["label", str(drive), "-o", str(tmp_path / "out"), "--json", str(report)]) == 0
    found = report_of(report)
    assert found["frames"] == found["labelled"] == len(list((drive / "image_02/data").iterdir()))
    assert 0.1 < found["share"]["road"] < 0.6


T0 = 1_700_000_000_000_000_000
CAMERA = CameraModel(np.array([[60.0, 0, 48], [0, 60, 32], [0, 0, 1]]), 96, 64)


def street(number: int, frozen: bool = False) -> Frame:
    """A frame at 10 Hz; intensities in percent."""
    image = np.random.default_rng(0 if frozen else number).integers(0, 256, (64, 96, 3), np.uint8)
    points = np.random.default_rng(number).uniform((-1, -1, 5, 0), (1, 1, 20, 1), (400, 4)).astype(np.float32)
    frame = Frame(T0 + number * 100_000_000, image, points=points, camera=CAMERA, lidar_to_camera=np.eye(4))
    points[:, 3] *= 99
    return frame


def test_what_a_frozen_camera_and_a_scale_did_is_reported(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bag([street(number, frozen=number >= 4) for number in range(10)], tmp_path / "bag")
    report = tmp_path / "report.json"
    assert run(tmp_path / "bag", "-o", tmp_path / "out", "--write", "masks", "--json", report, model=tiny_model) == 0
    found = report_of(report)["inputs"][0]
    assert found["sensors"] == {"rgb": 7, "lidar": 10}
    assert found["absent"] == {"rgb is frozen": 3}
    assert [remark.partition(";")[0] for remark in found["remarks"]] == [
        "intensity: field 'intensity' goes up to 98.81, so 0–100 counts as 0–1"
    ]
    assert "  absent: rgb is frozen (3×)" in capsys.readouterr().out
    record = report_of(tmp_path / f"out/frames/{T0 + 900_000_000:019d}.json")
    assert record["modalities"] == ["lidar"]
    assert list(record["absent"]) == ["rgb"]


def test_sensors_whose_clocks_never_meet_are_a_mistake(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bag([street(number) for number in range(5)], tmp_path / "good")
    with closing(open_bag(tmp_path / "good")) as source, RawBagWriter(tmp_path / "bag") as writer:
        for message in source.messages(list(source.topics), source.start_ns, source.end_ns):
            since_boot = message.stamp_ns - T0 + 40_000_000_000
            lidar = message.topic == "/points"
            writer.write(message._replace(data=with_stamp(message.data, since_boot)) if lidar else message)
    assert run(tmp_path / "bag", "-o", tmp_path / "out", model=tiny_model) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert "no messages pair; rgb: its stamps (2023-11-14 22:13:20 to 2023-11-14 22:13:20) never meet" in line
    assert "those of lidar (40.0 s to 40.4 s)" in line
    assert not (tmp_path / "out").exists()


def test_a_sensor_is_left_out_of_a_whole_recording(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tiny network's class is red // 64, and without the camera there is no red."""
    report = tmp_path / "report.json"
    words = ("-o", tmp_path / "out", "--write", "masks", "--without", "rgb", "--json", report)
    assert run(kitti_drive, *words, model=tiny_model) == 0
    (found,) = report_of(report)["inputs"]
    assert found["sensors"] == {"lidar": 3}
    assert found["absent"] == {"rgb is left out": 3}
    record = json.loads((tmp_path / "out/frames/0000000000.json").read_text())
    assert record["modality_weights"]["rgb"] == 0
    assert not cv2.imread(str(tmp_path / "out/labels/0000000000.png"), -1).any()
    # Labels made in one way are not continued in another.
    assert run(kitti_drive, "-o", tmp_path / "out", "--write", "masks", model=tiny_model) == 2
    assert "without was ['rgb'], is []" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        run(kitti_drive, "-o", tmp_path / "other", "--without", "sonar", model=tiny_model)


def test_a_misspelt_topic_is_named_and_the_option_of_before_is_taken(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rigs.write(tmp_path / "bag", rigs.lidar)
    (tmp_path / "mine.yaml").write_text("image: /front/image_rect\npoints: /ouster/point\n")
    monkeypatch.chdir(tmp_path)
    assert run("bag", "--preset", "mine.yaml", "--write", "masks", model=tiny_model) == 0
    said = capsys.readouterr()
    assert said.err.startswith("perception label: --preset is called --topics now\n")
    assert f"{tmp_path}/bag (rgb 3) → {tmp_path}/labels/bag\n" in said.out
    assert "  points: /ouster/point is missing; the nearest is /ouster/points\n" in said.out
    assert run("bag", "--topics", "kitti2bagg", model=tiny_model) == 2
    assert "did you mean topics/kitti2bag.yaml?" in capsys.readouterr().err


def test_thermal_folders_and_pairs_and_how_much_each_sensor_counted(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pair, thermal = tmp_path / "pair", write_images(tmp_path / "thermal", 1)
    for name in ("visible", "infrared"):
        write_images(pair / name, 2)
    report = tmp_path / "report.json"
    assert run(pair, "-o", tmp_path / "out", "--write", "masks", "--json", report, model=tiny_model) == 0
    shown = capsys.readouterr().out
    assert "rgb 50%" in shown
    assert "WARN" not in shown
    found = report_of(report)["inputs"][0]
    assert found["weights"] == {"rgb": 0.5, "infrared": 0.5}
    assert found["overturns"]["rgb"]["frames"] == 2, "in a short recording, every frame is checked"
    arguments = ["--as", "infrared", "--write", "masks", "--json", report]
    assert run(thermal, "-o", tmp_path / "more", *arguments, model=tiny_model) == 0
    assert report_of(report)["inputs"][0]["sensors"] == {"infrared": 1}


def test_a_sensor_that_overturns_the_others_is_warned_of(tiny_model: Path, tmp_path: Path) -> None:
    images = write_images(tmp_path / "images", 1)
    options = LabelOptions(inputs=[images], output=tmp_path / "out", write=["masks"], model=str(tiny_model))
    report = run_label(options, Console(quiet=True))
    (found,) = report.good
    summary = replace(
        found.summary,
        sensors={"rgb": 30, "depth": 30, "lidar": 30},
        overturns={
            "depth": Overturn(5, 0.043, 0.06, "025"),
            "lidar": Overturn(5, 0.004, 0.03, "000"),
            "rgb": Overturn(2, 0.3, 0.3, "000"),
        },
    )
    told = notes(replace(report, inputs=[replace(found, summary=summary)]))
    (line,) = [line for line in told if "WARN" in line]
    assert "depth contradicts confident labels of rgb and lidar on 4.3% of the image (median of 5 frames)" in line
    assert f"perception explain {images}:025" in line


def test_an_input_that_failed_has_no_row_of_dashes(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "nowhere", "-o", tmp_path / "out", model=tiny_model) == 2
    shown = capsys.readouterr()
    assert not shown.out
    assert shown.err.endswith("nowhere: no such bag, drive or folder\n")
