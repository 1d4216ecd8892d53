# SPDX-License-Identifier: Apache-2.0
"""Workers and a machine are killed while a fleet is labelled: no recording is lost, none is done twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.ray_cluster import add_machine, at_work, kill, two_machines

from perception.bags.writer import write_bag
from perception.cli.main import main
from perception.frame import Frame
from perception.labelling.once import DONE

pytest.importorskip("ray.cluster_utils")

DRIVES, FRAMES = 200, 2


@pytest.fixture
def cluster() -> Iterator[Any]:
    """See `two_machines`."""
    with two_machines() as cluster:
        yield cluster


@pytest.fixture
def fleet(tmp_path: Path) -> list[Path]:
    """One bag of a few small frames under many names."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (FRAMES, 32, 64, 3), np.uint8)
    first = tmp_path / "drives/000"
    first.parent.mkdir()
    write_bag([Frame(10**18 + number * 10**8, image) for number, image in enumerate(images)], first)
    drives = [first]
    for number in range(1, DRIVES):
        drives.append(first.with_name(f"{number:03d}"))
        drives[-1].mkdir()
        for file in first.iterdir():
            os.link(file, drives[-1] / file.name)
    return drives


def contents(folder: Path) -> dict[str, bytes]:
    """What was made of the frames, by place."""
    names = ("labels", "frames")
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in names
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def test_killed_workers_and_a_killed_machine_lose_nothing_and_do_nothing_twice(
    cluster: Any, fleet: list[Path], tiny_model: Path, tmp_path: Path
) -> None:
    out, report, listed = tmp_path / "out", tmp_path / "report.json", tmp_path / "fleet.txt"
    broken = tmp_path / "drives/broken"
    broken.mkdir()
    listed.write_text("".join(f"{drive}\n" for drive in [*fleet, broken]))
    options = [f"@{listed}", "-o", str(out), "--write", "masks", "--model", str(tiny_model), "--json", str(report)]
    command = [sys.executable, "-m", "perception", "label", *options, "--ray", cluster.address, "--retries", "8"]
    killed: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        try:
            for after in (10, 40, 70, 130):
                _wait_for(out, after)
                for node in cluster.worker_nodes:
                    for pid in at_work(node):
                        kill(pid)
                        killed.append("worker")
                if after == 70:
                    cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
                    killed.append("machine")
                    add_machine(cluster)
            ran = run.wait(200)
        finally:
            run.kill()
    assert ran == 2, "the empty folder is no recording"
    assert killed.count("machine") == 1
    assert killed.count("worker") >= 4
    found = json.loads(report.read_text())
    assert [each["input"] for each in found["inputs"]] == [*map(str, fleet), str(broken)]
    assert found["frames"] == DRIVES * FRAMES
    assert found["retried"] >= 2, "a worker that was killed between two inputs costs no attempt"
    assert found["failures"] == {"is an empty folder": 1}
    (refused,) = json.loads((out / "failed.json").read_text())["failed"]
    assert (refused["input"], refused["cause"], refused["attempts"]) == (str(broken), "refused", 1)

    assert main(["label", str(fleet[0]), "-o", str(tmp_path / "calm"), *options[3:], "--threads", "1"]) == 0
    calm = contents(tmp_path / "calm")
    assert len(calm) == 2 * FRAMES
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [drive.name for drive in fleet]
    assert all(contents(out / drive.name) == calm for drive in fleet)
    leftovers = [path for path in out.rglob("*") if path.name.startswith(".")]
    assert not leftovers

    before = {path: path.stat().st_mtime_ns for path in out.glob("*/labels/*")}
    assert main(["label", *options, "--ray", "auto"]) == 2
    again = json.loads(report.read_text())
    assert (again["frames"], again["labelled"]) == (DRIVES * FRAMES, 0)
    assert {path: path.stat().st_mtime_ns for path in out.glob("*/labels/*")} == before


def _wait_for(out: Path, done: int) -> None:
    """Until so many drives are complete."""
    deadline = time.monotonic() + 200
    while len(list(out.glob(f"*/{DONE}"))) < done:
        assert time.monotonic() < deadline
        time.sleep(0.05)
