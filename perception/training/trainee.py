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
from perception.models.dual_branch import Batch
from perception.models.soft_losses import SoftLabelLoss, divergence, mean_probabilities
from perception.sensors.channels import AUX_CHANNELS
from perception.training.mean_teacher import MeanTeacher


@dataclass
class Lesson:
    """What a `Trainee` is taught by.

    losses: configs of the losses of class ids, summed; none takes the decode head's. soft: of the soft labels.
    teachers: segmentors of the same inputs, in eval mode, whose mean opinion is learnt, softened by `temperature`,
    with the loss weight `weight`. mean_teacher: the trainee's own average as one more, for what nobody labelled.
    frozen_statistics: batch normalisation keeps the means and variances that it has; few crops measure them badly.
    """

    losses: Sequence[Mapping[str, Any]] = ()
    soft: SoftLabelLoss = field(default_factory=SoftLabelLoss)
    teachers: Sequence[EncoderDecoder] = ()
    temperature: float = 2.0
    weight: float = 1.0
    mean_teacher: MeanTeacher | None = None
    frozen_statistics: bool = False

    def __deepcopy__(self, _memo: dict[int, Any]) -> Lesson:
        """Itself: averaging the weights copies the trainee, and its teachers need no copy."""
        return self

    def opinion(self, batch: Batch, size: Sequence[int]) -> Tensor:
        """(B, K, H, W) the teachers' mean softened probabilities at `size` (H, W)."""
        with torch.no_grad():
            seen = [predict(teacher.to(batch.rgb.device), batch, size) for teacher in self.teachers]
            return mean_probabilities(seen, self.temperature)


class Trainee(EncoderDecoder):
    """An mmseg EncoderDecoder, with the same parameters and names, that learns a `Lesson`.

    A batch has rgb, aux, present, labels (see `Mixture`) and perhaps `soft` (B, K, h, w) uint8 and `kept` (B, M), the
    modalities that it may see; its teachers see all that are present. Class ids and soft labels weigh by how many
    pixels each of them teaches.
    """

    def __init__(self, lesson: Lesson, **model: Any) -> None:
        super().__init__(**model)
        self.lesson = lesson
        losses: list[nn.Module] = [MODELS.build(dict(loss)) for loss in lesson.losses]
        # A plain list, no ModuleList: the state stays that of the plain segmentor.
        self._losses = losses or [self.decode_head.loss_decode]

    def train(self, mode: bool = True) -> Trainee:
        """See torch's Module."""
        super().train(mode)
        if self.lesson.frozen_statistics:
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
        labels = data["labels"].long()
        size = labels.shape[1:]
        logits = predict(self, keep(batch, data["kept"]) if "kept" in data else batch, size)
        losses = {}
        known, taught = (labels != UNLABELLED).sum(), torch.zeros((), device=labels.device)
        if "soft" in data:
            loss, taught = self.lesson.soft(logits, data["soft"])
            losses["loss_soft"] = loss * taught / (known + taught).clamp(min=1)
        share = known / (known + taught).clamp(min=1)
        for module in self._losses:
            losses[str(module.loss_name)] = share * module(logits, labels, ignore_index=UNLABELLED)
        if self.lesson.teachers:
            opinion = self.lesson.opinion(batch, size)
            losses["loss_teacher"] = self.lesson.weight * divergence(logits, opinion, self.lesson.temperature).mean()
        if self.lesson.mean_teacher and self.lesson.mean_teacher.average is not None:
            with torch.no_grad():
                seen = predict(self.lesson.mean_teacher.average, batch, size)
            unknown = labels == UNLABELLED
            if "soft" in data:
                unknown &= untaught(data["soft"], size)
            losses["loss_mean_teacher"] = self.lesson.mean_teacher.loss(logits, seen, unknown)
        return losses


def predict(segmentor: EncoderDecoder, batch: Batch, size: Sequence[int]) -> Tensor:
    """(B, K, H, W) logits at `size` (H, W)."""
    logits: Tensor = segmentor.decode_head(segmentor.extract_feat(batch))
    if logits.shape[2:] != tuple(size):
        logits = resize(logits, tuple(size), mode="bilinear", align_corners=segmentor.align_corners)
    return logits


def untaught(soft: Tensor, size: Sequence[int]) -> Tensor:
    """(B, H, W) bool at `size` (H, W), where soft labels (B, K, h, w) uint8 say nothing."""
    nothing = (soft.amax(1, keepdim=True) == 0).float()
    return resize(nothing, tuple(size), mode="nearest")[:, 0] > 0


def keep(batch: Batch, kept: Tensor) -> Batch:
    """`batch` as if only the modalities that `kept` (B, M) has 1 for were there."""
    present = batch.present * kept
    channels = torch.tensor(list(AUX_CHANNELS.values()), device=kept.device)
    mask = present[:, 1:].repeat_interleave(channels, 1)
    return Batch(batch.rgb * present[:, :1, None, None], batch.aux * mask[:, :, None, None], present)
