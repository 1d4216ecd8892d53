# SPDX-License-Identifier: Apache-2.0
"""Whole drives over a Ray cluster of two nodes on this machine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.images import contents, write_images

from perception.cli.main import main

ray = pytest.importorskip("ray")
pytest.importorskip("ray.cluster_utils")


@pytest.fixture(scope="module")
def cluster() -> Iterator[None]:
    """A head without CPUs and two workers with one each, joined from this process."""
    from ray.cluster_utils import Cluster

    store = 80 * 1024 * 1024
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "object_store_memory": store})
    for _ in range(2):
        cluster.add_node(num_cpus=1, object_store_memory=store)
    ray.init(address=cluster.address, log_to_driver=False)
    yield
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.usefixtures("cluster")
def test_drives_are_spread_and_labelled_as_here(tiny_model: Path, tmp_path: Path) -> None:
    assert len([node for node in ray.nodes() if node["Resources"].get("CPU")]) == 2
    drives = [write_images(tmp_path / f"drive{number}", 3 + number, 640, 480) for number in range(4)]
    (drives[3] / "000.png").write_bytes(b"")
    common = [*map(str, drives), "--write", "masks", "confidence", "--model", str(tiny_model)]
    report = tmp_path / "report.json"
    ran = main(["label", *common, "-o", str(tmp_path / "ray"), "--on", "ray", "--json", str(report)])
    assert ran == 2, "one image is broken"
    found = json.loads(report.read_text())
    assert [each["labelled"] for each in found["inputs"]] == [3, 4, 5, 5]
    assert "000.png" in found["inputs"][3]["failed"]["000"]
    assert len({each["ran_on"] for each in found["inputs"]}) == 2, "one worker did everything"
    assert main(["label", *common, "-o", str(tmp_path / "here"), "--threads", "1"]) == 2
    assert contents(tmp_path / "ray") == contents(tmp_path / "here")
