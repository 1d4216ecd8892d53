# SPDX-License-Identifier: Apache-2.0
"""Attention maps: within 0–1, nothing for what is absent, and their means the weights that the network reports."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.explanation.network import ExplainedNetwork  # noqa: E402
from perception.frame import MODALITIES  # noqa: E402
from perception.sensors import NetworkInput  # noqa: E402

SUBSETS = [(1, 1, 1, 1), (1, 0, 0, 0), (0, 1, 1, 1), (0, 0, 0, 1), (1, 0, 1, 0), (0, 1, 0, 0)]


def only(network_input: NetworkInput, kept: tuple[int, ...]) -> NetworkInput:
    return NetworkInput(network_input.rgb, network_input.aux, np.array(kept, np.float32))


@pytest.mark.parametrize("kept", SUBSETS)
def test_maps_are_shares_and_nothing_for_the_absent(
    segmentor: Any, network_input: NetworkInput, kept: tuple[int, ...]
) -> None:
    attention = ExplainedNetwork(segmentor).look(only(network_input, kept)).attention
    assert [stage.stride for stage in attention.stages] == [4, 8, 16, 32]
    for stage in attention.stages:
        assert stage.spatial
        for share in (stage.camera, stage.others):
            assert share.min() >= 0
            assert share.max() <= 1
        np.testing.assert_allclose(stage.camera + stage.others, 1, atol=1e-6)
        assert stage.camera.any() == bool(kept[0])
        assert stage.others.any() == any(kept[1:])
    assert list(attention.gates) == list(MODALITIES[1:])
    for name, present in zip(MODALITIES[1:], kept[1:], strict=True):
        gate = attention.gates[name]
        assert 0 <= gate.min() <= gate.max() <= 1
        assert gate.any() == (bool(present) and name != "infrared")  # whose gate is shut


@pytest.mark.parametrize("kept", [(1, 1, 1, 1), (1, 0, 0, 1), (0, 1, 0, 1)])
def test_the_means_are_the_weights_that_the_engine_reports(
    segmentor: Any, network_input: NetworkInput, kept: tuple[int, ...]
) -> None:
    from perception.models.deploy import DeployGraph

    chosen = only(network_input, kept)
    attention = ExplainedNetwork(segmentor).look(chosen).attention
    with torch.inference_mode():
        arrays = (chosen.rgb, chosen.aux, chosen.present)
        _, _, reported = DeployGraph(segmentor).eval()(*(torch.from_numpy(array)[None] for array in arrays))
    assert list(attention.weights.values()) == pytest.approx(reported[0].tolist(), abs=1e-5)
    for name in MODALITIES:
        mean = np.mean([weights[name] for weights in attention.stage_weights])
        assert mean == pytest.approx(attention.weights[name], abs=1e-5)


def test_a_fusion_without_a_spatial_gate_has_flat_maps(segmentor: Any, network_input: NetworkInput) -> None:
    import copy

    from mmseg.registry import MODELS

    model = copy.deepcopy(segmentor)
    sizes = zip((32, 64, 128, 256), (32, 32, 64, 96), strict=True)
    fusions = [MODELS.build(dict(type="AddFusion", channels=c, aux_channels=a)) for c, a in sizes]
    model.backbone.fusions = torch.nn.ModuleList(fusions)
    attention = ExplainedNetwork(model).look(network_input).attention
    for stage in attention.stages:
        assert not stage.spatial
        assert (stage.camera == 0.5).all()
        assert (stage.others == 0.5).all()


def test_looking_leaves_no_hook_behind(segmentor: Any, network_input: NetworkInput) -> None:
    ExplainedNetwork(segmentor).look(network_input)
    assert not any(module._forward_hooks for module in segmentor.modules())
