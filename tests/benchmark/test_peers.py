# SPDX-License-Identifier: Apache-2.0
"""The peers are the networks that they are said to be, and go through our own export."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.benchmark.networks import OURS_RGB, camera_alone, compare  # noqa: E402
from perception.benchmark.peers import PEERS, write_peer  # noqa: E402
from perception.engines.openvino import OpenVinoEngine  # noqa: E402
from perception.engines.weights import build_model  # noqa: E402
from perception.export.graph import export_openvino  # noqa: E402
from perception.models.deploy import DeployGraph  # noqa: E402
from perception.sensors import NetworkInput  # noqa: E402
from perception.sensors.encode import for_sensors  # noqa: E402

MILLIONS = {
    "PIDNet-S": 7.6,
    "DDRNet-23-slim": 5.7,
    "SegFormer-B0": 3.7,
    "BiSeNetV2": 3.3,
    "Fast-SCNN": 1.4,
    "ESANet-like": 24.5,
}
"""Parameters at inference: the papers', but for the ESANet-like one, which is ours to compose."""


@pytest.fixture(scope="module")
def network_input() -> NetworkInput:
    rng = np.random.default_rng(0)
    rgb, aux = rng.integers(0, 256, (64, 128, 3), np.uint8), rng.integers(0, 256, (32, 64, 10), np.uint8)
    return NetworkInput(rgb, aux, np.ones(4, np.float32))


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_has_its_size_and_labels_every_pixel(name: str, tmp_path: Path, network_input: NetworkInput) -> None:
    segmentor = build_model(write_peer(name, tmp_path / "peer.safetensors"))
    graph = DeployGraph(segmentor).eval()
    given = for_sensors(network_input, graph.sensors)
    inputs = (given.rgb, given.aux, given.present)
    with torch.inference_mode():
        labels, confidence, weights = graph(*(torch.from_numpy(array)[None] for array in inputs))
    assert labels.shape == confidence.shape == (1, 64, 128)
    assert weights.shape == (1, 4 if name == "ESANet-like" else 1)
    assert sum(p.numel() for p in graph.parameters()) / 1e6 == pytest.approx(MILLIONS[name], rel=0.1)


def test_networks_are_compared_in_one_run(tmp_path: Path, network_input: NetworkInput) -> None:
    pidnet, scnn = (
        export_openvino(write_peer(name, tmp_path / f"{name}.safetensors"), tmp_path / name)
        for name in ("PIDNet-S", "Fast-SCNN")
    )
    told: list[None] = []
    found = compare(scnn, {"PIDNet-S": pidnet}, network_input, 1, "f32", 3, lambda: told.append(None))
    assert set(found) == {"ours", OURS_RGB, "PIDNet-S"}
    assert found["PIDNet-S"]["ratio"] == 1
    assert 0 < found["ours"]["ratio"] < 1
    assert found["ours"]["n"] == 3
    assert len(told) == 9
    assert compare(scnn, {}, network_input, 1, "f32", 1)["ours"]["ratio"] is None


def test_a_peer_of_the_camera_alone_is_quantised_with_frames_of_all_sensors(
    tmp_path: Path, network_input: NetworkInput
) -> None:
    pytest.importorskip("nncf")
    from perception.benchmark.int8 import quantise_peers

    scnn = export_openvino(write_peer("Fast-SCNN", tmp_path / "scnn.safetensors"), tmp_path / "scnn")
    quantised = quantise_peers({"Fast-SCNN": scnn}, [network_input])["Fast-SCNN"]
    assert OpenVinoEngine(quantised).name.split()[-2] == "int8"
    assert set(compare(quantised, {}, network_input, 1, "f32", 1)) == {"ours", OURS_RGB}


def test_the_camera_alone_is_an_input_without_the_rest(network_input: NetworkInput) -> None:
    alone = camera_alone(network_input)
    assert alone.rgb is network_input.rgb
    assert not alone.aux.any()
    np.testing.assert_array_equal(alone.present, [1, 0, 0, 0])
    assert network_input.aux.any()
