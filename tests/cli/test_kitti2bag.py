# SPDX-License-Identifier: Apache-2.0
"""`perception kitti2bag` as a user runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from helpers.kitti import odometry_sequence, raw_drive, tracking_split

from perception.bags.sources import open_bag
from perception.cli.main import main


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def topics(bag: Path) -> dict[str, int]:
    with closing(open_bag(bag)) as source:
        return {name: topic.messages for name, topic in source.topics.items()}


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_a_raw_drive(tmp_path: Path, storage: str, capsys: pytest.CaptureFixture[str]) -> None:
    drive, bag = raw_drive(tmp_path), tmp_path / "bag"
    assert (
        main(["kitti2bag", str(drive), "-o", str(bag), "--storage", storage, "--json", str(tmp_path / "j.json")]) == 0
    )
    said = json.loads((tmp_path / "j.json").read_text())
    assert said["messages"] == topics(bag)
    assert said["bytes"] > 10_000
    assert topics(bag)["/kitti/camera_color_left/image_raw"] == 3
    assert "/kitti/oxts/gps/fix" in capsys.readouterr().out
    assert [path.suffix for path in bag.iterdir() if path.name != "metadata.yaml"] == [
        {"mcap": ".mcap", "sqlite3": ".db3"}[storage]
    ]


def test_other_layouts(tmp_path: Path) -> None:
    odometry_sequence(tmp_path / "odometry")
    tracking_split(tmp_path / "tracking")
    raw_drive(tmp_path / "raw", synced=False)
    for name in ("odometry", "tracking", "raw"):
        assert main(["kitti2bag", str(tmp_path / name), "-o", str(tmp_path / f"{name}_bag"), "--compressed"]) == 0
        found = topics(tmp_path / f"{name}_bag")
        assert found["/kitti/camera_color_left/image_raw/compressed"] == found["/tf"] == 3
        assert found["/tf_static"] == 1


def test_a_sweep_without_a_stamp_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive = raw_drive(tmp_path)
    for path in (drive / "velodyne_points").glob("timestamps*.txt"):
        path.write_text("\n" + "".join(path.read_text().splitlines(keepends=True)[1:]))
    assert main(["kitti2bag", str(drive), "-o", str(tmp_path / "bag")]) == 0
    assert "velodyne_points: 1 without a stamp" in capsys.readouterr().err


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_no_bag(tmp_path: Path, signum: signal.Signals) -> None:
    drive, bag, pipe = raw_drive(tmp_path), tmp_path / "out/bag", tmp_path / "pipe"
    os.mkfifo(pipe)  # an image that never comes
    last = drive / "image_02/data/0000000002.png"
    last.unlink()
    last.symlink_to(pipe)
    command = [sys.executable, "-m", "perception", "kitti2bag", str(drive), "-o", str(bag)]
    # If the tests run in the background, a shell has set them, and so their children, to ignore Ctrl-C.
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=_heed_interrupts)
    end = _opened(pipe)  # from here on everything waits for that image
    assert list(tmp_path.glob("out/.bag.partial/bag/*.mcap"))
    process.send_signal(signum)
    time.sleep(1.0)
    os.close(end)  # lets the thread that reads it go
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert list(tmp_path.glob("out/*")) + list(tmp_path.glob("out/.*")) == []


def _heed_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _opened(pipe: Path) -> int:
    """The writing end, once the other end is read."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:  # nobody does yet
            assert time.monotonic() < deadline
            time.sleep(0.02)


def test_a_broken_file_leaves_no_bag(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive = raw_drive(tmp_path)
    path = drive / "velodyne_points/data/0000000002.bin"
    path.write_bytes(path.read_bytes()[:-3])
    assert main(["kitti2bag", str(drive), "-o", str(tmp_path / "bag")]) == 2
    assert "0000000002.bin: 797 bytes, truncated" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["2011_09_26"]


def test_mistakes_get_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drive = raw_drive(tmp_path)
    for arguments, line in (
        ([tmp_path / "nowhere", "-o", "bag"], "nowhere: no such bag, drive or folder"),
        ([drive, "-o", tmp_path], "exists already"),
        ([drive.parent, "-o", tmp_path / "bag", "--sequence", "7"], "no sequence '7'"),
    ):
        assert main(["kitti2bag", *map(str, arguments)]) == 2
        shown = capsys.readouterr().err
        assert line in shown
        assert "Traceback" not in shown
