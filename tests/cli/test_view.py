# SPDX-License-Identifier: Apache-2.0
"""`perception view` as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("rerun")

from helpers import rigs
from helpers.readers.mcap_file import Mcap
from helpers.rerun_file import columns, rows

from perception.cli.main import main, make_parser


def test_a_drive_is_saved(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out" / "drive.rrd"
    assert main(["view", str(kitti_drive), "--model", str(tiny_model), "--save", str(path), "--every", "2"]) == 0
    assert f"perception view {path}" in capsys.readouterr().err.replace("\n", " ")
    assert rows(path, "/world/camera/labels", "frame") == [0, 2]
    assert {"/world/points", "/weights/lidar", "/latency/total", "/share/road"} <= set(columns(path))


def test_a_drive_is_saved_for_foxglove(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "out" / "drive.mcap"
    assert main(["view", str(kitti_drive), "--model", str(tiny_model), "--save", str(path), "--every", "2"]) == 0
    assert f"{path}: " in capsys.readouterr().err.replace("\n", " ")
    found = Mcap(path)
    assert len(found.messages["/perception/labels"]) == 2
    assert {"/image", "/tf", "/perception/points", "/perception/grid", "/perception/weights"} <= set(found.channels)


def test_sensors_are_left_out(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    path = tmp_path / "drive.rrd"
    words = ["--model", str(tiny_model), "--save", str(path), "--without", "lidar", "--without", "depth"]
    assert main(["view", str(kitti_drive), *words]) == 0
    weights = rows(path, "/weights/lidar", "Scalars:scalars")
    assert weights[:3] == [0, 0, 0]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["missing"], "missing: no such bag, drive or folder"),
        (["missing.rrd"], "missing.rrd: no such file"),
        (["DRIVE", "--start", "100", "--save", "x.rrd"], "no frames after 100 s"),
        (["DRIVE", "--save", "x.rrd", "--web"], "choose one"),
        (["old.rrd", "--save", "x.rrd"], "old.rrd: is a saved view already"),
        (["--save", "x.mcap"], "live topics are saved as .rrd; for Foxglove record them: ros2 bag record"),
        (["DRIVE", "--model", "MODEL"], "no display here"),
    ],
)
def test_mistakes_get_one_line(
    kitti_drive: Path,
    tiny_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    line: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    real = {"DRIVE": str(kitti_drive), "MODEL": str(tiny_model)}
    assert main(["view", *(real.get(argument, argument) for argument in arguments)]) == 2
    shown = capsys.readouterr().err
    assert line in shown
    assert shown.count("\n") == 1


def test_a_bag_of_other_names_is_shown_by_the_rig_beside_it(
    tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bag, rig = rigs.write(tmp_path / "bag", rigs.stereo), tmp_path / "rig.yaml"
    rig.write_text("image: /zed/zed_node/left/image_rect_colour\ndepth: /zed/zed_node/depth/depth_registered\n")
    arguments = ["view", str(bag), "--model", str(tiny_model), "--save", str(tmp_path / "x.rrd")]
    assert main(arguments) == 0
    said = capsys.readouterr().err
    assert f"topics from {rig}\n" in said
    assert "left/image_rect_colour is missing; the nearest is /zed/zed_node/left/image_rect_color\n" in said


@pytest.mark.parametrize(
    ("name", "extra", "options"), [("rerun", "view", ""), ("foxglove", "foxglove", "--save x.mcap")]
)
def test_without_its_viewer_it_says_what_to_install(name: str, extra: str, options: str) -> None:
    words = ["view", "x", *options.split()]
    code = f"import sys; sys.modules[{name!r}] = None; from perception.cli.main import main; sys.exit(main({words}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr == f"perception: {name} is not installed: pip install 'multimodal_perception[{extra}]'\n"


def test_files_for_foxglove_need_no_rerun(kitti_drive: Path, tiny_model: Path, tmp_path: Path) -> None:
    words = ["view", str(kitti_drive), "--model", str(tiny_model), "--save", str(tmp_path / "x.mcap"), "--every", "4"]
    code = f"import sys; sys.modules['rerun'] = None; from perception.cli.main import main; sys.exit(main({words}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


def test_live_topics_are_saved_for_some_seconds(tmp_path: Path) -> None:
    pytest.importorskip("rclpy")
    from perception.ros.node_process import private_network

    path = tmp_path / "live.rrd"
    words = [
        "view",
        "--seconds",
        "0.5",
        "--save",
        str(path),
        "--topics",
        "kitti2bag",
        "--ros-args",
        "-r",
        "__ns:=/front",
    ]
    with private_network():
        done = subprocess.run(
            [sys.executable, "-m", "perception", *words],
            capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "0 frames in 0." in done.stderr
    assert "/world" in columns(path)


def test_options_are_checked(capsys: pytest.CaptureFixture[str]) -> None:
    parser = make_parser("view")
    assert parser.parse_args(["bag", "--web"]).web == 9090
    assert parser.parse_args(["bag", "--web", "8000"]).web == 8000
    for wrong in (["--every", "0"], ["--start", "-1"], ["--duration", "nan"], ["--rate", "0"], ["--web", "65535"]):
        with pytest.raises(SystemExit):
            parser.parse_args(["bag", *wrong])
    assert "expected a port" in capsys.readouterr().err
