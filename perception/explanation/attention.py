# SPDX-License-Identifier: Apache-2.0
"""The attention of a `DualBranchEncoder` to its sensors, as maps: recorded by hooks while it runs."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from perception.models.aux_stem import AuxStem
from perception.models.fusion import GatedAttentionFusion

Map = NDArray[np.float32]


@dataclass(frozen=True)
class StageAttention:
    """The weights of a fusion's two branches; both maps are (h, w) in 0–1, 0 everywhere for an absent branch.

    stride: of the stage. camera, others: the shares. spatial: whether the fusion decides per pixel; where it does not,
    the maps hold its one figure everywhere.
    """

    stride: int
    camera: Map
    others: Map
    spatial: bool


@dataclass(frozen=True)
class Attention:
    """stages: finest first. gates: (h, w) in 0–1 per auxiliary modality, how far the stem opens for it; 0 where absent.

    weights: weight of each sensor, by name, as `Prediction.modality_weights`: the mean of stages and pixels.
    stage_weights: the same of each stage alone.
    """

    stages: list[StageAttention]
    gates: dict[str, Map]
    weights: dict[str, float]
    stage_weights: list[dict[str, float]]


class AttentionRecorder:
    """While entered, keeps what `backbone`'s gates say of one input.

    present: (1, 1 + M), as in `Batch`.
    """

    def __init__(self, backbone: Any, present: Tensor) -> None:
        self._fusions: list[nn.Module] = list(backbone.fusions)
        self._stem: nn.Module = backbone.aux_stem
        self._present = present[0].tolist()
        self._seen: dict[nn.Module, Any] = {}
        self._hooks: list[Any] = []

    def __enter__(self) -> AttentionRecorder:
        watched = list(self._fusions)
        for fusion in self._fusions:
            if isinstance(fusion, GatedAttentionFusion):
                watched += [fusion.rgb_gate, fusion.aux_gate, fusion.bias]
        if isinstance(self._stem, AuxStem):
            watched += self._stem.scores
        self._hooks = [module.register_forward_hook(self._keep) for module in watched]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for hook in self._hooks:
            hook.remove()

    def attention(self, height: int, weights: dict[str, float]) -> Attention:
        """What was recorded. height: of the network's input. weights: what the encoder returned, by name."""
        stages = [self._stage(fusion, height) for fusion in self._fusions]
        _, *auxiliary = weights
        others = sum(weights[name] for name in auxiliary)
        shares = {name: weights[name] / others if others else 0.0 for name in auxiliary}
        stage_weights = [
            {"rgb": float(stage.camera.mean())} | {n: float(stage.others.mean()) * s for n, s in shares.items()}
            for stage in stages
        ]
        return Attention(stages, self._gates(), weights, stage_weights)

    def _keep(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Any) -> None:
        self._seen[module] = output

    def _stage(self, fusion: nn.Module, height: int) -> StageAttention:
        fused, means = self._seen[fusion]
        size = tuple(fused.shape[2:])
        rgb, aux = self._present[0], max(self._present[1:])
        spatial = isinstance(fusion, GatedAttentionFusion)
        if isinstance(fusion, GatedAttentionFusion):  # the gate's own formula, before it is averaged
            bias = self._seen[fusion.bias]
            lead = self._seen[fusion.rgb_gate] - self._seen[fusion.aux_gate] + (bias[:, :1] - bias[:, 1:])
            camera_lead = lead.sigmoid()[0, 0].numpy()
            camera, others = rgb * (1 - aux * (1 - camera_lead)), aux * (1 - rgb * camera_lead)
        else:
            camera, others = (np.full(size, mean, np.float32) for mean in means[0].tolist())
        return StageAttention(height // size[0], camera.astype(np.float32), others.astype(np.float32), spatial)

    def _gates(self) -> dict[str, Map]:
        if not isinstance(self._stem, AuxStem):
            return {}
        maps = [self._seen[score].sigmoid()[0, 0].numpy() for score in self._stem.scores]
        named = zip(self._stem.sensors, self._present[1:], maps, strict=True)
        return {name: (gate * present).astype(np.float32) for name, present, gate in named}
