# SPDX-License-Identifier: Apache-2.0
"""Whole drives over a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helpers.images import contents, write_images
from helpers.ray_cluster import at_work, kill, two_machines

from perception.cli.main import main
from perception.errors import PerceptionError
from perception.labelling.failed import FAILED
from perception.labelling.job import Job
from perception.labelling.ray_cluster import GB, Cluster, needs_of, places_in, run_on_ray
from perception.labelling.report import Refused
from perception.labelling.workers import Network

ray = pytest.importorskip("ray")
pytest.importorskip("ray.cluster_utils")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """See `two_machines`."""
    with two_machines() as cluster:
        yield cluster


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
        for node in cluster.worker_nodes:
            for pid in at_work(node):
                kill(pid)

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
