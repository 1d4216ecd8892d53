# SPDX-License-Identifier: Apache-2.0
"""Every command that writes, on a disk of a few hundred kilobytes."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import pytest
from helpers.images import write_images
from helpers.recipes import write_small

from perception.cli.main import main
from perception.disk import DiskFull, is_partial, made_folder, on_full_disk, whole_file, write_file, write_json
from perception.errors import DataError


def on_small_disk(disk: Path, size: str, *command: object, after: str = ":") -> subprocess.CompletedProcess[str]:
    """Run a command where `disk` is a file system of so many bytes; `after` is a shell command run in the end."""
    disk.mkdir(exist_ok=True)
    script = f'mount -t tmpfs -o size={size} none {disk} || exit 77; code=0; "$@" || code=$?; {after}; exit $code'
    arguments = ["unshare", "--map-root-user", "--mount", "sh", "-c", script, "sh", *map(str, command)]
    environment = {**os.environ, "XDG_CACHE_HOME": str(disk.parent / "cache")}
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=300, env=environment)
    if done.returncode == 77 or "unshare" in done.stderr:
        pytest.skip("no file system can be mounted here")
    return done


def perception(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "perception", *map(str, arguments)]


@pytest.mark.parametrize("begun", [False, True])
def test_a_folder_in_which_nothing_was_written_is_not_left(tmp_path: Path, begun: bool) -> None:
    (tmp_path / "mine").mkdir()
    for folder in (tmp_path / "new/folder", tmp_path / "mine"):
        with made_folder(folder):
            assert folder.is_dir()
            if begun:
                (folder / "file").touch()
    assert (tmp_path / "new").exists() == begun
    assert (tmp_path / "mine").is_dir()


def test_a_file_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_json(tmp_path / "new/a.json", {"a": 1})
    assert json.loads((tmp_path / "new/a.json").read_text()) == {"a": 1}

    def fail(path: Path, data: bytes) -> int:
        with path.open("wb") as file:
            file.write(data[:1])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fail)
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(DiskFull, match=r"a\.json: the disk is full: .* free, about 1 bytes too little; make room"):
        write_file(tmp_path / "new/a.json", b"x" * 10)
    assert free > 10
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.json"]
    assert json.loads((tmp_path / "new/a.json").read_text()) == {"a": 1}


def test_the_outermost_that_knows_says_how_much(tmp_path: Path) -> None:
    def full() -> None:
        raise OSError(errno.EDQUOT, "Disk quota exceeded")

    need = shutil.disk_usage(tmp_path).free + 5_000_000
    with (
        pytest.raises(DiskFull, match=r"about [45]\.\d MB too little"),
        on_full_disk(tmp_path, lambda: need),
        on_full_disk(tmp_path),
    ):
        full()
    with pytest.raises(ValueError, match="else"), on_full_disk(tmp_path):
        raise ValueError("something else")
    with pytest.raises(DataError, match="bad"), on_full_disk(tmp_path, lambda: need):
        raise DataError("bad")


@pytest.mark.parametrize("what", ["masks", "video", "bag", "cloud"])
def test_label_says_so_and_goes_on_where_there_is_room(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, what: str
) -> None:
    images = write_images(tmp_path / "images", 12, 320, 240) if what != "cloud" else kitti_drive
    size = {"masks": "24k", "video": "80k", "bag": "500k", "cloud": "8k"}[what]
    disk, kept = tmp_path / "disk", tmp_path / "kept"
    options = ["--write", what, "--model", tiny_model, "--threads", "1"]
    command = perception("label", images, "-o", disk / "out", *options)
    done = on_small_disk(disk, size, *command, after=f"rm -rf {disk}/*.json; cp -r {disk}/out {kept}")
    line = done.stderr.splitlines()[-1]
    assert done.returncode == 2, done.stderr
    assert line.startswith(f"perception: {disk}/out"), line
    assert "the disk is full: " in line
    assert "Traceback" not in done.stderr
    if what == "masks":
        assert "too little" in line
    assert not [path.name for path in kept.rglob("*") if path.name.startswith(".") or path.suffix == ".mp4"]
    shutil.move(kept, disk / "out")  # room has been made
    assert main(list(map(str, ["label", images, "-o", disk / "out", *options]))) == 0
    if what == "video":
        assert cv2.VideoCapture(str(disk / "out/overlay.mp4")).get(cv2.CAP_PROP_FRAME_COUNT) == 12


@pytest.mark.parametrize("storage", ["mcap", "sqlite3"])
def test_kitti2bag_leaves_nothing_behind(kitti_drive: Path, tmp_path: Path, storage: str) -> None:
    command = perception("kitti2bag", kitti_drive, "-o", tmp_path / "disk/bag", "--storage", storage)
    done = on_small_disk(tmp_path / "disk", "64k", *command, after=f"ls -A {tmp_path}/disk")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1].startswith(f"perception: {tmp_path}/disk/bag: the disk is full: ")


def test_scores_are_not_half_written(camvid: Path, tiny_model: Path, tmp_path: Path) -> None:
    report = tmp_path / "disk/scores.json"
    command = perception(
        "eval", "camvid", camvid, "--split", "train", "--model", tiny_model, "--threads", "1", "--json", report
    )
    fill = ("sh", "-c", 'head -c 4096 /dev/zero > "$0"; exec "$@"', tmp_path / "disk/other")
    done = on_small_disk(tmp_path / "disk", "4k", *fill, *command, after=f"ls -A {tmp_path}/disk")
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1].startswith(f"perception: {report}: the disk is full: ")
    assert "scores.json" not in done.stdout


def test_training_leaves_the_last_checkpoint(camvid: Path, tmp_path: Path) -> None:
    pytest.importorskip("mmseg")
    recipe = write_small(tmp_path / "small.py")
    command = perception(
        "train", "dual_branch_s", "--recipe", recipe, "--data", f"camvid={camvid}", "--iterations", "1",
        "--workers", "0", "-o", tmp_path / "disk/run",
    )  # fmt: skip
    done = on_small_disk(tmp_path / "disk", "1m", *command, after=f"ls -A {tmp_path}/disk/run")
    assert done.returncode == 2
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"perception: {tmp_path}/disk/run/last.pt: the disk is full: ")
    assert "MB too little" in last
    assert ".pt" not in done.stdout


def test_two_that_write_the_same_file_at_once_both_do(tmp_path: Path) -> None:
    """As a worker that was taken for lost does beside the one that was given its work."""
    path, content = tmp_path / "report.json", b"x" * 4096

    def write() -> None:
        for _ in range(300):
            write_file(path, content)

    with ThreadPoolExecutor(2) as pool:
        for done in [pool.submit(write) for _ in range(2)]:
            done.result()
    assert path.read_bytes() == content
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_that_is_killed_takes_nothing_from_another_of_the_same_file(tmp_path: Path) -> None:
    path = tmp_path / "report.json"

    def be_killed() -> None:
        with whole_file(path) as partial:
            partial.write_bytes(b"")
            raise KeyboardInterrupt

    with whole_file(path) as partial:
        partial.write_bytes(b"whole")
        with pytest.raises(KeyboardInterrupt):
            be_killed()
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_writer_left_is_told_from_other_files(tmp_path: Path) -> None:
    with whole_file(tmp_path / "a.json") as partial:
        partial.touch()
        assert is_partial(partial, "a.json")
        assert not is_partial(partial, "b.json")
    assert not is_partial(tmp_path / "a.json", "a.json")


def test_a_folder_that_goes_away_while_it_is_written_to_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "out"
    monkeypatch.setattr(Path, "write_bytes", lambda *_: shutil.rmtree(folder))
    with pytest.raises(FileNotFoundError):
        write_file(folder / "report.json", b"x")
