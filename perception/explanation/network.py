# SPDX-License-Identifier: Apache-2.0
"""A trained network in PyTorch, run so that its intermediate results can be inspected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from mmseg.models import EncoderDecoder
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from perception.engines import find_model
from perception.engines.family import split_name
from perception.engines.manifest import verify
from perception.engines.weights import build_model
from perception.errors import ModelError
from perception.explanation.attention import Attention, AttentionRecorder
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM
from perception.explanation.saliency import Saliency, saliency_of
from perception.models.aux_stem import sensors_in
from perception.models.dual_branch import Batch, normalise
from perception.sensors import NetworkInput
from perception.storage import source


@dataclass(frozen=True)
class Insight:
    """The intermediate results for one input.

    labels: (H, W) uint8 at the network's size. saliency: by the id of each class that some pixel got.
    attention: of the auxiliary stem and of every fusion.
    """

    labels: NDArray[np.uint8]
    saliency: dict[int, Saliency]
    attention: Attention


class NotInPyTorch(ModelError):
    """A model without a .safetensors file: it can be run, but not inspected."""


class ExplainedNetwork:
    """A segmentor whose backbone is a `DualBranchEncoder`, in float32 on the CPU.

    It is the network that engines run, before export and rounding; `explain` counts on how many pixels they agree.
    """

    def __init__(self, segmentor: EncoderDecoder) -> None:
        self._segmentor = segmentor.eval().requires_grad_(False)
        self.sensors = sensors_in(segmentor)

    @classmethod
    def load(cls, model: str | Path | None = None) -> ExplainedNetwork:
        """The weights of `model`, a name or path as of `Pipeline.load`; of an INT8 one, those it was quantised from.

        Raises NotInPyTorch where there is no .safetensors file of it, and ModelError for a damaged one.
        """
        unquantised = None if model is None else source(split_name(model)[0])
        if unquantised is not None and unquantised.stem.endswith("_int8"):
            unquantised = unquantised.with_name(unquantised.name.replace("_int8", ""))
        if unquantised is not None and unquantised.suffix not in ("", ".safetensors"):
            unquantised = unquantised.with_suffix(".safetensors")
        try:
            _, path = find_model(unquantised, "torch")
        except ModelError as error:
            raise NotInPyTorch(f"{error}; gradients need the weights as `perception train` wrote them") from error
        verify(path)
        segmentor = build_model(path)
        if not hasattr(getattr(segmentor, "backbone", None), "fusions"):
            raise ModelError(f"{path}: its backbone is not a DualBranchEncoder; only those can be explained")
        return cls(segmentor)

    def look(self, network_input: NetworkInput, stride: int = DEFAULT_STRIDE, method: str = GRAD_CAM) -> Insight:
        """Run the network once, and its head backwards once per class.

        stride: of the features that the saliency is of, one of STRIDES. method: one of METHODS. Raises ModelError if
        the head looks at no features of that stride.
        """
        backbone, head = self._segmentor.backbone, self._segmentor.decode_head
        batch = _batch(network_input)
        with torch.no_grad(), AttentionRecorder(backbone, batch.present) as recorder:
            fused, weights = backbone.encode(normalise(batch))
        features = [feature.requires_grad_() for feature in fused]  # leaves: only the head lies behind them
        with torch.enable_grad():
            logits = head(tuple(features))
        source, winners = _features_of(stride, features, logits, batch), logits.argmax(1)[0]
        size = (int(batch.rgb.shape[2]), int(batch.rgb.shape[3]))
        saliency = {
            class_id: saliency_of(source, logits, class_id, winners == class_id, method)
            for class_id in torch.unique(winners).tolist()
        }
        shares = dict(zip(self.sensors, weights[0].tolist(), strict=True))
        return Insight(_labels(logits, size), saliency, recorder.attention(size[0], shares))


def _features_of(stride: int, features: Sequence[Tensor], logits: Tensor, batch: Batch) -> Tensor:
    """The last of the features with that stride that the head looks at."""
    used = torch.autograd.grad(logits.sum(), list(features), retain_graph=True, allow_unused=True)
    strides = [round(batch.rgb.shape[2] / feature.shape[2]) for feature in features]
    seen = {each: feature for each, feature, grad in zip(strides, features, used, strict=True) if grad is not None}
    if stride not in seen:
        raise ModelError(f"no features of stride {stride}: this network's are of {', '.join(map(str, sorted(seen)))}")
    return seen[stride]


def _batch(network_input: NetworkInput) -> Batch:
    images = (network_input.rgb, network_input.aux)
    rgb, aux = (torch.from_numpy(image).permute(2, 0, 1)[None].float() for image in images)
    return Batch(rgb, aux, torch.from_numpy(network_input.present)[None])


def _labels(logits: Tensor, size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) class ids, decided as `perception.models.deploy` does."""
    probabilities = logits.detach().softmax(1)
    if probabilities.shape[2:] != size:
        probabilities = functional.interpolate(probabilities, size, mode="bilinear", align_corners=False)
    return probabilities.argmax(1)[0].to(torch.uint8).numpy()
