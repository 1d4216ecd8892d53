# SPDX-License-Identifier: Apache-2.0
"""A segmentor that learns from more than class ids: soft labels, other networks, and several losses at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmseg.models import EncoderDecoder
from mmseg.models.utils import resize
from mmseg.registry import MODELS
from torch import Tensor, nn

from perception.classes import UNLABELLED
from perception.models.dual_branch import Batch, glance_of, normalise
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
    number of pixels that each of them labels. A network with an `InstanceHead` also learns `instances`.
    """

    def __init__(self, supervision: Supervision, **model: Any) -> None:
        super().__init__(**model)
        self.supervision = supervision
        losses: list[nn.Module] = [MODELS.build(dict(loss)) for loss in supervision.losses]
        # A plain list, not a ModuleList: the state remains that of the plain segmentor.
        self._losses = losses or [self.decode_head.loss_decode]

    def train(self, mode: bool = True) -> Trainee:
        """See torch's Module."""
        super().train(mode)
        if self.supervision.frozen_statistics:
            for module in self.modules():
                if isinstance(module, nn.BatchNorm2d):
                    module.eval()
        return self

    def train_step(self, data: dict[str, Tensor], optim_wrapper: OptimWrapper) -> dict[str, Tensor]:
        """One step of the optimiser; see mmengine's BaseModel."""
        with optim_wrapper.optim_context(self):
            losses = self.learn(self.data_preprocessor.cast_data(data))
        loss, log = self.parse_losses(losses)
        optim_wrapper.update_params(loss)
        return log

    def learn(self, data: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """The losses of a batch by name."""
        batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
        labels, soft = data["labels"].long(), data.get("soft")
        size = labels.shape[1:]
        visible = keep(batch, data["kept"]) if "kept" in data else batch
        if self.supervision.alone or self.supervision.distil:
            features, logits, rows, alone = predict_alone_too(self, visible, size)
        else:
            features, rows, alone = self.extract_feat(visible), None, ()
            logits = decode(self, features, size)
        losses = self._taught(logits, labels, soft)
        if "instances" in data:
            losses |= self.auxiliary_head.losses(features, data["instances"])
        for name, opinion in zip(("camera", "others"), alone, strict=False):
            of_it = self._taught(opinion, labels[rows], None if soft is None else soft[rows])
            losses[f"loss_{name}"] = self.supervision.alone * torch.stack(list(of_it.values())).sum()
            together = soften(logits[rows].detach().float().softmax(1), self.supervision.temperature)
            apart = divergence(opinion, together, self.supervision.temperature).mean()
            losses[f"loss_{name}_apart"] = self.supervision.distil * apart
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

    def _taught(self, logits: Tensor, labels: Tensor, soft: Tensor | None) -> dict[str, Tensor]:
        """The losses of class ids and of soft labels, by name, each weighted by the number of pixels that it labels."""
        losses = {}
        known, taught = (labels != UNLABELLED).sum(), torch.zeros((), device=labels.device)
        if soft is not None:
            loss, taught = self.supervision.soft(logits, soft)
            losses["loss_soft"] = loss * taught / (known + taught).clamp(min=1)
        share = known / (known + taught).clamp(min=1)
        for module in self._losses:
            losses[str(module.loss_name)] = share * module(logits, labels, ignore_index=UNLABELLED)
        return losses


def predict(segmentor: EncoderDecoder, batch: Batch, size: Sequence[int]) -> Tensor:
    """(B, K, H, W) logits at `size` (H, W)."""
    return decode(segmentor, segmentor.extract_feat(batch), size)


def decode(segmentor: EncoderDecoder, features: tuple[Tensor, ...], size: Sequence[int]) -> Tensor:
    """The same from the fused features."""
    logits: Tensor = segmentor.decode_head(features)
    if logits.shape[2:] != tuple(size):
        logits = resize(logits, tuple(size), mode="bilinear", align_corners=segmentor.align_corners)
    return logits


def predict_alone_too(
    segmentor: EncoderDecoder, batch: Batch, size: Sequence[int]
) -> tuple[tuple[Tensor, ...], Tensor, Tensor | None, tuple[Tensor, ...]]:
    """The fused features, `predict`, some rows (R,) that have the camera and another sensor, and for them the logits of
    each side by itself.

    Each branch runs once; fusion and head run for the additional predictions. Empty for a batch without such rows.
    """
    backbone = segmentor.backbone
    batch = normalise(batch)
    lean, gains = backbone.weigh(glance_of(batch))
    sensed, shares = backbone.sense(batch.aux, batch.present, gains)
    seen = backbone.rgb(batch.rgb)
    both = (batch.present[:, 0] > 0) & (batch.present[:, 1:].amax(1) > 0)
    rows = both.nonzero()[:MOST_ALONE, 0]
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
    logits = decode(segmentor, fused, size)
    features = tuple(feature[:first] for feature in fused)
    if not len(rows):
        return features, logits, None, ()
    together, camera, others = logits.split([first, len(rows), len(rows)])
    return features, together, rows, (camera, others)


def untaught(soft: Tensor, size: Sequence[int]) -> Tensor:
    """(B, H, W) bool at `size` (H, W), where soft labels (B, K, h, w) uint8 are unknown."""
    nothing = (soft.amax(1, keepdim=True) == 0).float()
    return resize(nothing, tuple(size), mode="nearest")[:, 0] > 0


def keep(batch: Batch, kept: Tensor) -> Batch:
    """`batch` as if only the modalities with 1 in `kept` (B, M) were present."""
    present = batch.present * kept
    channels = torch.tensor(splits_of(present.shape[1], batch.aux.shape[1]), device=kept.device)
    mask = present[:, 1:].repeat_interleave(channels, 1)
    return Batch(batch.rgb * present[:, :1, None, None], batch.aux * mask[:, :, None, None], present)
