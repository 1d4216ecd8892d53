# SPDX-License-Identifier: Apache-2.0
"""The network as an engine runs it: raw uint8 in, class ids out, with everything between in one graph."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from mmseg.models import EncoderDecoder
from mmseg.models.decode_heads.decode_head import BaseDecodeHead
from torch import Tensor, nn
from torch.nn import functional

from perception.models.aux_stem import AuxStem, MergedAuxStem, sensors_in
from perception.models.dual_branch import GLANCE, GLANCE_AUX, Batch, DualBranchEncoder, normalise_aux, normalise_rgb
from perception.models.exportable import make_exportable
from perception.models.instance_head import instance_head_of
from perception.models.light_fpn_head import SUBPIXELS, LightFPNHead


class DeployGraph(nn.Module):
    """A trained segmentor whose backbone is a `DualBranchEncoder` or an `RgbEncoder`, with decoding attached.

    forward: rgb (1, H, W, 3) uint8, aux (1, H/2, W/2, C) uint8, present (1, M) float32 → labels (1, H, W) uint8,
    confidence (1, H, W) uint8 (probability × 255), weights (1, M) float32. C is 0 and M is 1 for an `RgbEncoder`. Of a
    segmentor with an `InstanceHead` also what `perception.instances.group` takes, (1, C, H/4, W/4) float32.
    """

    def __init__(self, segmentor: EncoderDecoder) -> None:
        super().__init__()
        self.encoder: DualBranchEncoder = copy.deepcopy(segmentor.backbone)
        self.sensors = sensors_in(segmentor)  # before their stems are merged
        stem = getattr(self.encoder, "aux_stem", None)
        if isinstance(stem, AuxStem):
            self.encoder.aux_stem = MergedAuxStem(stem)
        self.head: BaseDecodeHead = copy.deepcopy(segmentor.decode_head)
        for part in (self.encoder, self.head):
            make_exportable(part)
        # One convolution per class: splitting the logits of a joint one would move them through memory once more.
        self.class_logits = _split(self.head) if isinstance(self.head, LightFPNHead) else None
        self.instance_head = instance_head_of(segmentor)

    def forward(self, rgb: Tensor, aux: Tensor, present: Tensor) -> tuple[Tensor, ...]:
        """See the class."""
        if not isinstance(self.encoder, DualBranchEncoder):  # other encoders have no parts
            features, weights = self.encoder.encode(_normalised(rgb, aux, present))
            return self._decided(features, rgb.shape[1:3], weights)
        lean, gains = self.weigh(rgb, aux, present)
        sensed, shares = self.sense(aux, present, gains)
        return self.decide(self.see(rgb), sensed, shares, present, lean, rgb.shape[1:3])

    def weigh(self, rgb: Tensor, aux: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """How much each stage prefers the camera, and the gains of the modalities."""
        # Subsampled before it is normalised: otherwise an engine keeps a normalised copy of the whole image only for
        # this.
        glance = rgb[:, ::GLANCE, ::GLANCE], aux[:, ::GLANCE_AUX, ::GLANCE_AUX]
        return self.encoder.weigh(_normalised(*glance, present))

    def see(self, rgb: Tensor) -> tuple[Tensor, ...]:
        """The camera branch's features. `weigh`, `see`, `sense` and `decide` are the parts of `forward`; `see` and
        `sense` may run at the same time."""
        features: tuple[Tensor, ...] = self.encoder.rgb(_channels_first(normalise_rgb(rgb.float())))
        return features

    def sense(self, aux: Tensor, present: Tensor, gains: Tensor) -> tuple[tuple[Tensor, ...], Tensor]:
        """The auxiliary branch's features, and the shares of the modalities in them."""
        return self.encoder.sense(_channels_first(normalise_aux(aux.float())), present, gains)

    def decide(
        self,
        seen: tuple[Tensor, ...],
        sensed: tuple[Tensor, ...],
        shares: Tensor,
        present: Tensor,
        lean: Tensor,
        size: Sequence[int],
    ) -> tuple[Tensor, ...]:
        """The result of `forward`, from the features of both branches, at `size` (H, W)."""
        features, weights = self.encoder.fuse(seen, sensed, shares, present, lean)
        return self._decided(features, size, weights)

    def _decided(self, features: tuple[Tensor, ...], size: Sequence[int], weights: Tensor) -> tuple[Tensor, ...]:
        decided = (*self._label(features, size), weights)
        return decided if self.instance_head is None else (*decided, self.instance_head.found(features))

    def _label(self, features: tuple[Tensor, ...], size: Sequence[int]) -> tuple[Tensor, Tensor]:
        if self.class_logits is None:  # any other head of mmseg
            return _decide_upsampled(self.head(features), size)
        finest = self.head.finest(features)
        labels, confidence = _decide(tuple(of_class(finest) for of_class in self.class_logits))
        return _unfold(labels), _unfold(confidence)


def _normalised(rgb: Tensor, aux: Tensor, present: Tensor) -> Batch:
    """The engine's inputs in the form that the encoder takes."""
    return Batch(_channels_first(normalise_rgb(rgb.float())), _channels_first(normalise_aux(aux.float())), present)


def _channels_first(image: Tensor) -> Tensor:
    """A normalised image: its axes then change places at no cost, as engines compute in channels last."""
    return image.permute(0, 3, 1, 2)


def _split(head: LightFPNHead) -> nn.ModuleList:
    """`conv_seg` as one convolution per class, each with the logits of all sub-pixels."""
    parts = nn.ModuleList()
    assert head.conv_seg.bias is not None
    weights, biases = head.conv_seg.weight.chunk(head.num_classes), head.conv_seg.bias.chunk(head.num_classes)
    for weight, bias in zip(weights, biases, strict=True):
        part = nn.Conv2d(head.channels, SUBPIXELS**2, 1)
        part.weight, part.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        parts.append(part)
    return parts


def _unfold(subpixels: Tensor) -> Tensor:
    """(B, SUBPIXELS², h, w) → (B, h · SUBPIXELS, w · SUBPIXELS), `pixel_shuffle` for memory that is channels last."""
    height, width = subpixels.shape[2:]
    cells = subpixels.permute(0, 2, 3, 1).reshape(-1, height, width, SUBPIXELS, SUBPIXELS)
    return cells.transpose(2, 3).reshape(-1, height * SUBPIXELS, width * SUBPIXELS)


def _decide(logits: tuple[Tensor, ...]) -> tuple[Tensor, Tensor]:
    """The likeliest class and its probability × 255, both uint8, from the logits of each class, all with one shape.

    Written without argmax and softmax: engines fuse these element-wise steps into one pass over the memory.
    """
    best, labels = logits[0], torch.zeros_like(logits[0])
    for class_id, candidate in enumerate(logits[1:], 1):
        labels = torch.where(candidate > best, float(class_id), labels)
        best = torch.maximum(best, candidate)
    total = torch.zeros_like(best)
    for candidate in logits:
        total = total + (candidate - best).exp()
    return labels.to(torch.uint8), (255 / total + 0.5).to(torch.uint8)


def _decide_upsampled(logits: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """The same from coarse logits (B, K, h, w), interpolated to `size`.

    Probabilities are computed before upsampling: fewer exponentials, and the borders hardly move.
    """
    probabilities = functional.interpolate(logits.softmax(1), tuple(size), mode="bilinear", align_corners=False)
    confidence, labels = probabilities.max(1)
    return labels.to(torch.uint8), (confidence * 255 + 0.5).to(torch.uint8)
