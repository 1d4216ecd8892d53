# SPDX-License-Identifier: Apache-2.0
"""Whole drives over a Ray cluster of two nodes on this machine, also while workers and a node are killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.images import contents, write_images

from perception.bags.writer import write_bag
from perception.cli.main import main
from perception.errors import PerceptionError
from perception.frame import Frame
from perception.labelling.failed import FAILED
from perception.labelling.job import Job
from perception.labelling.once import DONE
from perception.labelling.ray_cluster import GB, Cluster, needs_of, places_in, run_on_ray
from perception.labelling.report import Refused
from perception.labelling.workers import Network

ray = pytest.importorskip("ray")
pytest.importorskip("ray.cluster_utils")

STORE = 80 * 1024 * 1024

CONFIG = {
    "worker_niceness": 0,  # Ray's is 15, which on a busy machine is next to nothing
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 1000,  # a silent machine counts as lost after seconds
}


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """A head without CPUs and two machines with one each, joined from this process."""
    from ray.cluster_utils import Cluster as RayCluster

    cluster = RayCluster(
        initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": STORE, "_system_config": CONFIG}
    )
    for _ in range(2):
        add_machine(cluster)
    ray.init(address=cluster.address, log_to_driver=False)
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def add_machine(cluster: Any) -> None:
    """One more."""
    cluster.add_node(num_cpus=1, object_store_memory=STORE)


def at_work(node: Any) -> list[int]:
    """Process ids of the node's workers that run a task; Ray names them after it."""
    raylet = node.all_processes["raylet"][0].process.pid
    found = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit() and (process / "cmdline").read_bytes().startswith(b"ray::attempt"):
                parent = (process / "stat").read_text().rpartition(")")[2].split()[1]
                found += [int(process.name)] if int(parent) == raylet else []
    return found


def kill_workers(cluster: Any) -> int:
    """As the kernel does where memory is short: all that are at work, one at least. Returns how many."""
    deadline = time.monotonic() + 60
    while not (found := [pid for node in cluster.worker_nodes for pid in at_work(node)]):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    for pid in found:
        with suppress(ProcessLookupError):  # it has just ended
            os.kill(pid, signal.SIGKILL)
    return len(found)


@pytest.mark.usefixtures("cluster")
def test_drives_are_spread_and_labelled_as_here(tiny_model: Path, tmp_path: Path) -> None:
    assert len([node for node in ray.nodes() if node["Resources"].get("CPU")]) == 2
    drives = [write_images(tmp_path / f"drive{number}", 3 + number, 640, 480) for number in range(4)]
    (drives[3] / "000.png").write_bytes(b"")
    common = [*map(str, drives), "--write", "masks", "confidence", "--model", str(tiny_model)]
    report = tmp_path / "report.json"
    ran = main(["label", *common, "-o", str(tmp_path / "ray"), "--ray", "auto", "--json", str(report)])
    assert ran == 2, "one image is broken"
    found = json.loads(report.read_text())
    assert [each["labelled"] for each in found["inputs"]] == [3, 4, 5, 5]
    assert "000.png" in found["inputs"][3]["failed"]["000"]
    assert len({each["ran_on"] for each in found["inputs"]}) == 2, "one worker did everything"
    assert main(["label", *common, "-o", str(tmp_path / "here"), "--threads", "1"]) == 2
    assert contents(tmp_path / "ray") == contents(tmp_path / "here")


def test_a_lost_worker_is_told_with_its_attempts_and_a_run_of_the_list_does_the_rest(
    cluster: Any, tiny_model: Path, tmp_path: Path
) -> None:
    """With no retries: what is killed goes onto the list."""
    long, short, out = (
        write_images(tmp_path / "long", 400, 320, 240),
        write_images(tmp_path / "short", 2),
        tmp_path / "out",
    )
    options = ["-o", str(out), "--write", "masks", "--model", str(tiny_model), "--ray", "auto"]

    def disturb() -> None:
        deadline = time.monotonic() + 100
        while len(list((out / "long/frames").glob("*.json"))) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill_workers(cluster)

    chaos = threading.Thread(target=disturb)
    chaos.start()
    ran = main(["label", str(short), str(long), *options, "--retries", "0"])
    chaos.join()
    assert ran == 2
    entries = json.loads((out / FAILED).read_text())["failed"]
    (lost,) = [each for each in entries if each["input"] == str(long)]
    assert (lost["cause"], lost["attempts"]) == ("lost", 1)
    assert f"{long}: its worker or machine was lost" in lost["error"]
    kept = {path: path.stat().st_mtime_ns for path in (out / "long/frames").glob("[0-9]*.json")}
    assert 3 <= len(kept) < 400
    assert main(["label", f"@{out / FAILED}", *options]) == 0
    assert not (out / FAILED).exists()
    assert len(list((out / "long/labels").iterdir())) == 400
    assert {path: path.stat().st_mtime_ns for path in kept} == kept


@pytest.mark.usefixtures("cluster")
def test_a_fault_in_the_program_is_one_input_s_and_not_tried_again(tiny_model: Path, tmp_path: Path) -> None:
    images, good = write_images(tmp_path / "images", 1), write_images(tmp_path / "good", 1)
    network = Network(str(tiny_model), threads=1)
    faulty = Job(images, tmp_path / "out/images", ("nothing of the kind",), network)
    fine = Job(good, tmp_path / "out/good", ("masks",), network)
    found = dict(run_on_ray([faulty, fine], Cluster()))
    assert isinstance(found[0], Refused)
    assert (found[0].cause, found[0].attempts) == ("fault", 1)
    assert found[0].error == f"{images}: KeyError: 'nothing of the kind'"
    assert not isinstance(found[1], Refused)


@pytest.mark.usefixtures("cluster")
def test_an_input_that_no_machine_has_room_for_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    job = Job(tmp_path, tmp_path / "out", ("masks",), Network(threads=2))
    with pytest.raises(PerceptionError, match=r"takes 2 cores and 1 GB: there are machines of 0 cores.*; of 1 cores"):
        list(run_on_ray([job], Cluster()))


def test_an_input_is_placed_whole() -> None:
    def machine(cores: float, memory_gb: float, gpus: float = 0, alive: bool = True) -> dict[str, Any]:
        return {"Alive": alive, "Resources": {"CPU": cores, "memory": memory_gb * GB, "GPU": gpus}}

    machines = [machine(8, 64), machine(3, 64), machine(8, 5), machine(64, 256, alive=False)]
    on_cpu = needs_of(Network(threads=4), 2)
    assert on_cpu == {"num_cpus": 4, "memory": 2 * GB}
    assert places_in(machines, on_cpu) == 2 + 0 + 2
    on_gpu = needs_of(Network(engine="tensorrt", threads=1), 2)
    assert places_in(machines, on_gpu) == 0
    assert places_in([machine(8, 64, gpus=2)], on_gpu) == 4


@pytest.mark.parametrize("address", ["127.0.0.1:{}", "ray://localhost:{}"])
def test_an_address_where_nothing_listens_is_told_at_once(address: str, tiny_model: Path, tmp_path: Path) -> None:
    """In a process of its own, which has joined no cluster."""
    with socket.socket() as taken:  # bound, but nothing listens
        taken.bind(("127.0.0.1", 0))
        where = address.format(taken.getsockname()[1])
        images = write_images(tmp_path / "images", 1)
        words = ["label", str(images), "-o", str(tmp_path / "out"), "--model", str(tiny_model), "--ray", where]
        done = subprocess.run([sys.executable, "-m", "perception", *words], capture_output=True, text=True, timeout=100)
    assert done.returncode == 2
    assert f"perception: --ray {where}: no cluster of Ray answers there (" in done.stderr
    assert "Connection refused" in done.stderr


DRIVES, FRAMES = 200, 2


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


def of_frames(folder: Path) -> dict[str, bytes]:
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
                killed += ["worker"] * kill_workers(cluster)
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
    assert found["failures"] == {"is an empty folder": 1}
    assert found["frames"] == DRIVES * FRAMES
    assert found["retried"] >= 2, "a worker that was killed between two inputs costs no attempt"
    (refused,) = json.loads((out / "failed.json").read_text())["failed"]
    assert (refused["input"], refused["cause"], refused["attempts"]) == (str(broken), "refused", 1)

    assert main(["label", str(fleet[0]), "-o", str(tmp_path / "calm"), *options[3:], "--threads", "1"]) == 0
    calm = of_frames(tmp_path / "calm")
    assert len(calm) == 2 * FRAMES
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == [drive.name for drive in fleet]
    assert all(of_frames(out / drive.name) == calm for drive in fleet)
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
