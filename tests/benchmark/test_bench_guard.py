# SPDX-License-Identifier: Apache-2.0
"""Nobody makes it much slower unnoticed: ratios with generous margins, which hold on any machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception.benchmark.frames import drive_frames
from perception.benchmark.networks import OURS, REFERENCE, compare
from perception.benchmark.stages import collect, overhead_ratio
from perception.engines import find_model
from perception.engines.precision import precisions
from perception.frame import Frame
from perception.sensors import encode, network_size

NETWORK_TO_PIDNET_S = 0.75
OVERHEAD_TO_NETWORK = 0.8
THREADS = 2


@pytest.fixture(scope="module")
def frame() -> Frame:
    return next(iter(drive_frames(1)))


@pytest.mark.timed
def test_the_network_is_faster_than_pidnet_s(frame: Frame, tmp_path: Path) -> None:
    pytest.importorskip("mmseg")
    from perception.benchmark.peers import write_peer
    from perception.export.graph import export_openvino

    peer = export_openvino(write_peer(REFERENCE, tmp_path / "peer.safetensors"), tmp_path / "peer.xml")
    model = find_model(None, "openvino")[1]
    network_input = encode(frame, *network_size(*frame.size))
    found = compare(model, {REFERENCE: peer}, network_input, THREADS, precisions()[-1], rounds=15)
    assert found[OURS]["ratio"] <= NETWORK_TO_PIDNET_S


@pytest.mark.timed
def test_what_surrounds_the_network_costs_less_than_the_network(frame: Frame) -> None:
    pytest.importorskip("rclpy")
    from perception.pipeline import Pipeline
    from perception.ros.bench.stages import DEFAULT_OUTPUTS, frame_stages, serialised

    pipeline, messages = Pipeline.load(engine="openvino", threads=THREADS), serialised(frame)
    with frame_stages(pipeline, frame, DEFAULT_OUTPUTS) as stages:
        times = collect({"frame": lambda: stages(messages)}, rounds=30)["frame"]
    assert overhead_ratio(times) <= OVERHEAD_TO_NETWORK
