# SPDX-License-Identifier: Apache-2.0
"""Learning without labels: fill in hidden parts of every sensor from the other sensors and the surroundings.

After He et al., "Masked Autoencoders Are Scalable Vision Learners", CVPR 2022, and, across sensors, Bachmann et al.,
"MultiMAE", ECCV 2022. Another way is in `contrast.py`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import torch
from mmengine.config import Config
from mmseg.models import EncoderDecoder
from torch import Tensor, nn
from torch.nn import functional

from perception.errors import ModelError
from perception.models import across
from perception.models.aux_stem import sensors_in
from perception.models.dual_branch import RGB_MEAN, Batch
from perception.sensors.encode import AUX_SCALE
from perception.sensors.spec import SPECS, sensors_of
from perception.training.hooks import CheckpointHook
from perception.training.recipe import Recipe
from perception.training.train import Options, run

PATCH = 32
"""Rows and columns of a hidden patch, in pixels of the network's input."""

CELL = 4
"""The stride of the features from which everything is predicted: each yields a block of as many pixels per side."""

LEAST_CONTRAST = 0.04
"""The smallest deviation of rgb in 0–1: in flatter surroundings, noise is not amplified."""

AUX_SPREAD = 0.2
"""Errors of auxiliary channels, in 0–1, are divided by it, so that no sensor dominates. The channels' standard
deviations are 0.13 to 0.17 for KITTI's LiDAR and 0.28 for RoadScene's and MSRS's infrared, in training crops."""


class Pretrainer(EncoderDecoder):
    """An mmseg EncoderDecoder that learns without labels while patches are hidden; its own parts keep their names.

    hidden: the share of the patches that is hidden, of rgb and, drawn separately, of all auxiliary channels together:
    depth at the same place would reveal the LiDAR's values. model: as in EncoderDecoder; its decode head must have
    `finest`. A kind of it has a `way`, its name, and `own`, the prefixes of the names of what only pre-training needs.

    A batch has rgb, aux and present (see `Mixture`). The state contains, besides the segmentor's, what is its own, and
    the number of batches seen, which with torch's seed determines the hidden patches: a resumed run hides the same
    ones.
    """

    way: ClassVar[str]
    own: ClassVar[tuple[str, ...]]
    batches: Tensor

    def __init__(self, hidden: float = 0.5, **model: Any) -> None:
        super().__init__(**{**model, "data_preprocessor": dict(type="TensorPreprocessor")})
        self.hidden = hidden
        self.register_buffer("batches", torch.zeros((), dtype=torch.int64))

    def loss(self, inputs: dict[str, Tensor], data_samples: None = None) -> dict[str, Tensor]:
        """See mmseg's BaseSegmentor; `inputs` is the batch."""
        batch = Batch(inputs["rgb"].float(), inputs["aux"].float(), inputs["present"])
        return self.learn(batch, *self.draw(batch))

    def draw(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """What to hide next, of rgb and of aux: two (B, 1, H/32, W/32) bool."""
        number, _, height, width = batch.rgb.shape
        # A generator of its own: torch's is not part of a checkpoint.
        generator = torch.Generator().manual_seed(1_000_003 * torch.initial_seed() % 2**62 + int(self.batches))
        self.batches += 1
        whole = 2, number * across.processes(), 1, height // PATCH, width // PATCH
        hidden = (torch.rand(*whole, generator=generator) < self.hidden)[:, across.rank() :: across.processes()]
        rgb, aux = hidden.to(batch.rgb.device)
        return rgb, aux

    @abstractmethod
    def learn(self, batch: Batch, hidden_rgb: Tensor, hidden_aux: Tensor) -> dict[str, Tensor]:
        """The losses by name. hidden_rgb, hidden_aux: (B, 1, H/32, W/32) bool, True where hidden."""

    def plain_state(self) -> dict[str, Tensor]:
        """The state of the plain segmentor."""
        return {name: tensor for name, tensor in self.state_dict().items() if not self._is_own(name)}

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        """See torch; also accepts a plain segmentor's state."""
        own = {name: tensor for name, tensor in self.state_dict().items() if self._is_own(name)}
        return super().load_state_dict({**own, **state_dict}, strict, assign)

    def _is_own(self, name: str) -> bool:
        return name == "batches" or name.startswith(self.own)


class Reconstructor(Pretrainer):
    """Learns to fill in the hidden patches, with a convolution that predicts their pixels."""

    way = "masked"
    own = ("paint.",)

    def __init__(self, hidden: float = 0.5, **model: Any) -> None:
        super().__init__(hidden, **model)
        aux = sum(len(SPECS[name].channels) for name in sensors_in(self))
        self.paint = nn.Conv2d(self.decode_head.channels, 3 * CELL**2 + aux * (CELL // AUX_SCALE) ** 2, 1)

    def learn(self, batch: Batch, hidden_rgb: Tensor, hidden_aux: Tensor) -> dict[str, Tensor]:
        """See `Pretrainer`."""
        rgb, aux = self.reconstruct(hide(batch, hidden_rgb, hidden_aux))
        return reconstruction_losses(rgb, aux, batch, hidden_rgb, hidden_aux)

    def reconstruct(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """rgb (B, 3, H, W) in local contrasts, aux (B, C, H/2, W/2) in 0–1, except validity, which is in logits."""
        painted = self.paint(self.decode_head.finest(self.extract_feat(batch))).float()
        rgb, aux = painted.tensor_split([3 * CELL**2], 1)
        return functional.pixel_shuffle(rgb, CELL), functional.pixel_shuffle(aux, CELL // AUX_SCALE)


def hide(batch: Batch, hidden_rgb: Tensor, hidden_aux: Tensor) -> Batch:
    """`batch` with patches of rgb in mean grey, and of aux as if the sensors had measured nothing there."""
    grey = torch.full_like(batch.rgb, 255 * RGB_MEAN)
    rgb = torch.where(_enlarge(hidden_rgb, PATCH), grey, batch.rgb)
    return Batch(rgb, batch.aux * ~_enlarge(hidden_aux, PATCH // AUX_SCALE), batch.present)


def local_contrast(rgb: Tensor) -> Tensor:
    """rgb (B, 3, H, W) in 0–255, minus the mean of the 96×96 pixels around each patch, divided by their deviation.

    He et al. normalise each patch by itself; normalising by the surroundings keeps whether it is dark, bright or
    coloured, but not the exposure of the whole image.
    """
    rgb = rgb / 255
    moments = functional.avg_pool2d(torch.cat([rgb, rgb * rgb], 1), PATCH)
    mean, square = functional.avg_pool2d(moments, 3, 1, 1, count_include_pad=False).chunk(2, 1)
    deviation = (square - mean * mean).clamp(min=0).sqrt().clamp(min=LEAST_CONTRAST)
    return (rgb - _enlarge(mean, PATCH)) / _enlarge(deviation, PATCH)


def reconstruction_losses(
    rgb: Tensor, aux: Tensor, batch: Batch, hidden_rgb: Tensor, hidden_aux: Tensor
) -> dict[str, Tensor]:
    """Scalars, one for each sensor: the mean absolute error where it was hidden, is present and has a measurement.

    For all sensors except the camera, also the binary cross-entropy of whether there is a measurement, wherever it was
    hidden. A sensor that no frame of the batch has adds nothing. rgb, aux: from `Reconstructor.reconstruct`. batch:
    before anything was hidden. hidden_rgb, hidden_aux: (B, 1, H/32, W/32) bool.
    """
    counts = _enlarge(hidden_rgb, PATCH) * batch.present[:, :1, None, None]
    losses = {"loss_rgb": _mean((rgb - local_contrast(batch.rgb)).abs(), counts)}
    hidden = _enlarge(hidden_aux, PATCH // AUX_SCALE)
    channels = {name: SPECS[name].channels for name in sensors_of(batch.present.shape[1], batch.aux.shape[1])[1:]}
    sizes = [len(names) for names in channels.values()]
    guesses, truths = aux.split(sizes, 1), (batch.aux / 255).split(sizes, 1)
    for number, (sensor, names) in enumerate(channels.items()):
        guess, truth = guesses[number], truths[number]
        counts = hidden * batch.present[:, number + 1, None, None, None]
        valid = truth[:, -1:]
        guess, truth, validity = guess[:, :-1], truth[:, :-1], guess[:, -1:]
        measured = (counts * valid).repeat(1, len(names) - 1, 1, 1)
        if "height" in names:  # measured ones begin at 1: without a camera or a ground there are none
            height = names.index("height")
            measured[:, height] *= truth[:, height] > 0
        certainty = functional.binary_cross_entropy_with_logits(validity, valid, reduction="none")
        losses[f"loss_{sensor}"] = _mean((guess - truth).abs(), measured) / AUX_SPREAD
        losses[f"loss_{sensor}_valid"] = _mean(certainty, counts)
    return losses


def pretrain(
    config: Config,
    recipe: Recipe,
    options: Options,
    progress: Callable[[str], None] = print,
    kind: type[Pretrainer] = Reconstructor,
) -> Path:
    """Learn only from the frames, labelled or not, and return the path of the averaged weights, those of `config`'s
    plain segmentor. The layer that predicts the classes stays as it was initialised. kind: how it learns.

    Raises DataError for data that cannot be read, ModelError for weights that do not fit, for teachers, and for a
    network without a `LightFPNHead`.
    """
    if options.teachers:
        raise ModelError("teachers cannot be used with --pretrain: leave out --teacher or --pretrain")
    if config.model.type != "EncoderDecoder" or config.model.decode_head.type != "LightFPNHead":
        raise ModelError("pre-training needs an EncoderDecoder with a LightFPNHead")
    model = {key: value for key, value in config.model.items() if key != "type"}
    build = partial(kind, **model)
    return run(config, recipe, options, build, progress, pretrain=kind.way, checkpoints=_PlainCheckpoints)


class _PlainCheckpoints(CheckpointHook):
    """Leaves the parts that only pre-training needs out of `weights.safetensors`."""

    def weights(self) -> dict[str, Tensor]:
        """See `CheckpointHook`."""
        average = self.averaged()
        assert isinstance(average, Pretrainer)
        return average.plain_state()


def _enlarge(patches: Tensor, size: int) -> Tensor:
    """(B, C, h, w) → (B, C, h·size, w·size), each value a square."""
    return patches.repeat_interleave(size, 2).repeat_interleave(size, 3)


def _mean(errors: Tensor, counts: Tensor) -> Tensor:
    """The mean of `errors` (B, C, H, W) where `counts`, which broadcasts to them, is 1; 0 if it is 1 nowhere."""
    counts = counts.expand_as(errors)
    return across.mean((errors * counts).sum(), counts.sum())
