# SPDX-License-Identifier: Apache-2.0
"""A segmentor that learns from more than class ids: soft labels, other networks, and several losses at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from mmseg.models import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor, nn

from perception.classes import UNLABELLED
from perception.models import across
from perception.models.dual_branch import Batch, glance_of, normalise
from perception.models.instance_head import instance_head_of
from perception.models.main_logits import main_logits, main_loss, main_of
from perception.models.soft_losses import SoftLabelLoss, divergence, mean_probabilities, soften
from perception.sensors.spec import splits_of
from perception.training.mean_teacher import MeanTeacher

MOST_ALONE = 3
"""The number of rows of a batch whose sides are also trained separately: for each, fusion and head run twice more."""


@dataclass
class Supervision:
    """What a `Trainee` learns from.

    losses: configs of the losses of class ids, summed; empty takes the decode head's. soft: of the soft labels.
    teachers: segmentors with the same inputs, in eval mode, whose mean prediction is learnt, softened by `temperature`,
    with the loss weight `weight`. mean_teacher: the trainee's own average as another teacher, for unlabelled pixels.
    alone: loss weight of the predictions from only the camera, and from only the others, through the same head, in
    crops that have both; distil: of their divergence from the prediction of all, which is not trained by it (after
    RTFDNet, arXiv 2603.09149, and CRM, arXiv 2303.17386).
    frozen_statistics: batch normalisation keeps its means and variances; few crops measure them badly.
    """

    losses: Sequence[Mapping[str, Any]] = ()
    soft: SoftLabelLoss = field(default_factory=SoftLabelLoss)
    teachers: Sequence[EncoderDecoder] = ()
    temperature: float = 2.0
    weight: float = 1.0
    mean_teacher: MeanTeacher | None = None
    alone: float = 0.0
    distil: float = 0.0
    frozen_statistics: bool = False

    def __deepcopy__(self, _memo: dict[int, Any]) -> Supervision:
        """Returns itself: averaging the weights copies the trainee, and its teachers need no copy."""
        return self

    def opinion(self, batch: Batch, size: Sequence[int]) -> Tensor:
        """(B, K, H, W) the teachers' mean softened probabilities at `size` (H, W)."""
        with torch.no_grad():
            seen = [predict(teacher.to(batch.rgb.device), batch, size) for teacher in self.teachers]
            return mean_probabilities(seen, self.temperature)


class Trainee(EncoderDecoder):
    """An mmseg EncoderDecoder, with the same parameters and names, that learns a `Supervision`.

    A batch has rgb, aux, present, labels (see `Mixture`) and perhaps `soft` (B, K, h, w) uint8 and `kept` (B, M), the
    modalities that it may see; its teachers see all that are present. Class ids and soft labels are weighted by the
    number of pixels that each of them labels. What else the network predicts in training, its auxiliary heads among it,
    has its own losses of the class ids. A network with an `InstanceHead` also learns `instances`.
    """

    def __init__(self, supervision: Supervision, **model: Any) -> None:
        preprocessor = {**model.get("data_preprocessor", {}), "type": "TensorPreprocessor"}
        super().__init__(**{**model, "data_preprocessor": preprocessor})
        self.supervision = supervision
        losses: list[nn.Module] = [MODELS.build(dict(loss)) for loss in supervision.losses]
        # A plain list, not a ModuleList: the state remains that of the plain segmentor.
        self._losses = losses or [main_loss(self.decode_head)]

    def train(self, mode: bool = True) -> Trainee:
        """See torch's Module."""
        super().train(mode)
        if self.supervision.frozen_statistics:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def loss(self, inputs: dict[str, Tensor], data_samples: None = None) -> dict[str, Tensor]:
        """See mmseg's BaseSegmentor; `inputs` is the batch."""
        return self.learn(inputs)

    def learn(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The losses of a batch by name."""
        batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
        labels, soft = data["labels"].long(), data.get("soft")
        size = labels.shape[1:]
        visible = keep(batch, data["kept"]) if "kept" in data else batch
        if self.supervision.alone or self.supervision.distil:
            decoded, rows, alone = predict_alone_too(self, visible, size)
        else:
            decoded, rows, alone = decode(self, self.extract_feat(visible), size), None, ()
        logits = decoded.logits
        losses = self._taught(logits, labels, soft) | self._aside(decoded, labels)
        if "instances" in data:
            losses |= self.auxiliary_head.losses(decoded.features, data["instances"])
        for name, opinion in zip(("camera", "others"), alone, strict=False):
            of_it = self._taught(opinion, labels[rows], None if soft is None else soft[rows])
            losses[f"loss_{name}"] = self.supervision.alone * torch.stack(list(of_it.values())).sum()
            together = soften(logits[rows].detach().float().softmax(1), self.supervision.temperature)
            apart = divergence(opinion, together, self.supervision.temperature)
            pixels = torch.tensor(apart.numel(), device=apart.device)
            losses[f"loss_{name}_apart"] = self.supervision.distil * across.mean(apart.sum(), pixels)
        if self.supervision.teachers:
            opinion = self.supervision.opinion(batch, size)
            losses["loss_teacher"] = (
                self.supervision.weight * divergence(logits, opinion, self.supervision.temperature).mean()
            )
        if self.supervision.mean_teacher and self.supervision.mean_teacher.average is not None:
            with torch.no_grad():
                seen = predict(self.supervision.mean_teacher.average, batch, size)
            unknown = labels == UNLABELLED
            if soft is not None:
                unknown &= untaught(soft, size)
            losses["loss_mean_teacher"] = self.supervision.mean_teacher.loss(logits, seen, unknown)
        return losses

    def _aside(self, decoded: Decoded, labels: Tensor) -> dict[str, Tensor]:
        """The losses, by name, of what the head predicts beside its main logits, and of the auxiliary heads.

        As all of mmseg's do, they take the labelled pixels alone.
        """
        main = main_of(self.decode_head)
        losses: dict[str, Tensor] = {}
        if isinstance(decoded.output, Tensor):
            main = None
        auxiliary = self.with_auxiliary_head and instance_head_of(self) is None
        if main is None and not auxiliary:
            return losses
        samples = [SegDataSample(metainfo=dict(img_shape=tuple(labels.shape[1:]))) for _ in labels]
        self.data_preprocessor.label(samples, labels)
        if main is not None:
            losses.update(self.decode_head.loss_by_feat(decoded.output, samples))
            del losses[main.loss]
        if auxiliary:
            losses.update(self._auxiliary_head_forward_train(decoded.features, samples))
        # Their accuracies are not what is learnt.
        return {name: value for name, value in losses.items() if "loss" in name}

    def _taught(self, logits: Tensor, labels: Tensor, soft: Tensor | None) -> dict[str, Tensor]:
        """The losses of class ids and of soft labels, by name, each weighted by the number of pixels that it labels."""
        losses = {}
        known, taught = across.total((labels != UNLABELLED).sum()), torch.zeros((), device=labels.device)
        if soft is not None:
            loss, taught = self.supervision.soft(logits, soft)
            losses["loss_soft"] = loss * taught / (known + taught).clamp(min=1)
        share = known / (known + taught).clamp(min=1)
        for module in self._losses:
            losses[str(module.loss_name)] = share * module(logits, labels, ignore_index=UNLABELLED)
        return losses


class Decoded(NamedTuple):
    """features: of the encoder. output: what the head makes of them. logits: (B, K, H, W) its main ones, upsampled."""

    features: Any
    output: Any
    logits: Tensor

    def first(self, count: int) -> Decoded:
        """Of the first so many rows of the batch."""
        return Decoded(_rows(self.features, count), _rows(self.output, count), self.logits[:count])


def _rows(tensors: Any, count: int) -> Any:
    return tensors[:count] if isinstance(tensors, Tensor) else tuple(each[:count] for each in tensors)


def decode(segmentor: EncoderDecoder, features: Any, size: Sequence[int]) -> Decoded:
    """What the head makes of an encoder's features, with logits at `size` (H, W)."""
    output = segmentor.decode_head(features)
    logits = main_logits(segmentor.decode_head, output)
    if logits.shape[2:] != tuple(size):
        logits = resize(logits, tuple(size), mode="bilinear", align_corners=segmentor.align_corners)
    return Decoded(features, output, logits)


def predict(segmentor: EncoderDecoder, batch: Batch, size: Sequence[int]) -> Tensor:
    """(B, K, H, W) logits at `size` (H, W)."""
    return decode(segmentor, segmentor.extract_feat(batch), size).logits


def predict_alone_too(
    segmentor: EncoderDecoder, batch: Batch, size: Sequence[int]
) -> tuple[Decoded, Tensor | None, tuple[Tensor, ...]]:
    """What `decode` gives of a batch, some rows (R,) that have the camera and another sensor, and for them the logits
    of each side by itself.

    Each branch runs once; fusion and head run for the additional predictions. Empty for a batch without such rows; a
    process may have none of the rows that the whole batch has.
    """
    backbone = segmentor.backbone
    batch = normalise(batch)
    lean, gains = backbone.weigh(glance_of(batch))
    sensed, shares = backbone.sense(batch.aux, batch.present, gains)
    seen = backbone.rgb(batch.rgb)
    both = (batch.present[:, 0] > 0) & (batch.present[:, 1:].amax(1) > 0)
    rows, of_all = across.first_true(both, MOST_ALONE)
    everything = torch.arange(len(lean), device=lean.device)
    twice = torch.cat([everything, rows, rows])
    present = batch.present[twice].clone()
    first = len(everything)
    present[first : first + len(rows), 1:] = 0
    present[first + len(rows) :, 0] = 0
    fused, _ = backbone.fuse(
        tuple(feature[twice] for feature in seen),
        tuple(feature[twice] for feature in sensed),
        shares[twice],
        present,
        lean[twice],
    )
    decoded = decode(segmentor, fused, size)
    if not of_all:
        return decoded, None, ()
    _, camera, others = decoded.logits.split([first, len(rows), len(rows)])
    return decoded.first(first), rows, (camera, others)


def untaught(soft: Tensor, size: Sequence[int]) -> Tensor:
    """(B, H, W) bool at `size` (H, W), where soft labels (B, K, h, w) uint8 are unknown."""
    nothing = (soft.amax(1, keepdim=True) == 0).float()
    return resize(nothing, tuple(size), mode="nearest")[:, 0] > 0


def keep(batch: Batch, kept: Tensor) -> Batch:
    """`batch` as if only the modalities with 1 in `kept` (B, M) were present."""
    present = batch.present * kept
    channels = torch.tensor(splits_of(present.shape[1], batch.aux.shape[1]), dtype=torch.int64, device=kept.device)
    mask = present[:, 1:].repeat_interleave(channels, 1)
    return Batch(batch.rgb * present[:, :1, None, None], batch.aux * mask[:, :, None, None], present)
