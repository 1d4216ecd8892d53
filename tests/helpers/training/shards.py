# SPDX-License-Identifier: Apache-2.0
"""What two real processes compute with half of a batch each, beside what one computes with all of it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

ROWS = 4


@cache
def by_two() -> list[dict[str, Any]]:
    """`compute` in two processes: the results by rank."""
    from perception.training.launch import launch

    return launch(compute, processes=2)


@cache
def by_one() -> dict[str, Any]:
    """`compute` in this process."""
    return compute()


def compute() -> dict[str, Any]:
    """Every loss and the batch normalisation, for this process's rows; arrays, as results are pickled."""
    from perception.training.group import joined

    with joined():
        return dict(losses=_losses(), norm=_norm(), rows=_rows(), minds=_minds(), threads=torch.get_num_threads())


def _losses() -> dict[str, tuple[float, Any]]:
    """By name: the value, and the gradient of the whole batch's logits, which is 0 for others' rows."""
    from perception.models import (
        BoundaryCrossEntropy,
        HardPixelCrossEntropy,
        LovaszSoftmax,
        WeightedCrossEntropy,
        across,
    )
    from perception.models.soft_losses import SoftLabelLoss

    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(ROWS, 4, 16, 16, generator=generator)
    labels = torch.randint(0, 4, (ROWS, 16, 16), generator=generator)
    labels[0, :12] = 255  # so that the processes have different numbers of labelled pixels
    labels[1], labels[3] = 255, 2
    labels[3, 4:6] = 1
    soft = torch.randint(0, 256, (ROWS, 4, 8, 8), generator=generator, dtype=torch.uint8)
    soft[2] = 0
    own = slice(across.rank(), None, across.processes())
    weights = (1.0, 2.0, 0.5, 1.2)
    losses = {
        "ce": lambda x: WeightedCrossEntropy(weights)(x, labels[own]),
        "lovasz": lambda x: LovaszSoftmax()(x, labels[own]),
        "lovasz per image": lambda x: LovaszSoftmax(per_image=True)(x, labels[own]),
        "ohem": lambda x: HardPixelCrossEntropy(threshold=0.1, keep=0.3)(x, labels[own]),
        "weighted ohem": lambda x: HardPixelCrossEntropy(threshold=0.1, keep=0.3, class_weight=weights)(x, labels[own]),
        "boundary": lambda x: BoundaryCrossEntropy()(x, labels[own]),
        "soft": lambda x: SoftLabelLoss(temperature=2.0, weight=0.5)(x, soft[own])[0],
        "nothing": lambda x: WeightedCrossEntropy(weights)(x, torch.full_like(labels[own], 255)),
    }
    found = {}
    for name, loss in losses.items():
        leaf = logits.clone().requires_grad_()
        value = loss(leaf[own])
        value.backward()
        found[name] = (value.item(), leaf.grad.numpy())
    return found


def _norm() -> dict[str, Any]:
    """A batch normalisation of three rows and one, after two steps; gradients are of the sum over the processes."""
    from perception.models import across
    from perception.training.shared_norm import share_statistics

    generator = torch.Generator().manual_seed(1)
    model = nn.Sequential(nn.BatchNorm2d(3))
    nn.init.uniform_(model[0].weight, generator=generator)
    if across.processes() > 1:
        share_statistics(model)
    x = 50 + torch.randn(ROWS, 3, 5, 7, generator=generator)  # far from 0: sums of squares would lose the variance
    pull = torch.randn(ROWS, 3, 5, 7, generator=generator)
    own = (slice(None), slice(0, 3), slice(3, 4))[across.rank() + across.processes() - 1]
    for step in range(2):
        leaf = (x + step).requires_grad_()
        model.zero_grad()
        (model(leaf[own]) * pull[own]).sum().backward()
    half = model(x[own].bfloat16())
    return dict(
        input=leaf.grad.numpy(),
        weight=model[0].weight.grad.numpy(),
        bias=model[0].bias.grad.numpy(),
        mean=model[0].running_mean.numpy(),
        variance=model[0].running_var.numpy(),
        batches=int(model[0].num_batches_tracked),
        half=(str(half.dtype), half.detach().float().numpy()),
        eval=model.eval()(x).detach().numpy(),
    )


def _rows() -> tuple[list[int], int]:
    from perception.models import across

    mask = torch.tensor([1, 0, 1, 0, 1, 0, 0, 1, 1, 1], dtype=torch.bool)
    rows, of_all = across.first_true(mask[across.rank() :: across.processes()], 4)
    return rows.tolist(), of_all


def _minds() -> list[str]:
    """What each process hears of errors that only one of them has."""
    from perception.errors import DataError, PerceptionError
    from perception.models import across
    from perception.training.group import agreed, from_first

    heard = [from_first(lambda: f"from {across.rank()}")]

    def fail() -> None:
        raise DataError(f"process {across.rank()} fails")

    try:
        from_first(fail)
    except PerceptionError as error:
        heard.append(str(error))
    try:
        with agreed():
            if across.rank() == across.processes() - 1:
                fail()
    except PerceptionError as error:
        heard.append(str(error))
    with agreed():
        heard.append("on")
    return heard


def gradients(folder: Path, data: list[tuple[str, Path]]) -> None:
    """Train ten steps; every process saves the gradients of each step, as {name: tensor}, into gradients-RANK.pt."""
    from helpers.recipes import small
    from mmengine.config import Config
    from torch.optim.optimizer import register_optimizer_step_pre_hook

    from perception.models import across
    from perception.paths import config_path
    from perception.training.group import joined
    from perception.training.recipe import MeanTeaching
    from perception.training.train import Options, train

    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    narrow(config)
    recipe = small("real", frozen_statistics=False, mean_teacher=MeanTeaching())
    steps: list[list[Tensor]] = []

    def keep(optimiser: torch.optim.Optimizer, *_: Any) -> None:
        steps.append([p.grad.clone() for group in optimiser.param_groups for p in group["params"]])

    hook = register_optimizer_step_pre_hook(keep)
    with joined():
        options = Options(data, folder, iterations=10, batch_size=8, workers=0)
        train(config, recipe, options, lambda _: None)
        torch.save(steps, folder / f"gradients-{across.rank()}.pt")
    hook.remove()


def narrow(config: Any) -> None:
    """Make the shipped network tiny."""
    widths = (8, 8, 16, 16)
    backbone, head = config.model.backbone, config.model.decode_head
    backbone.rgb.update(stem=(8, 8), channels=widths, hidden=((8,),) * 4)
    backbone.aux_stem.channels = 8
    backbone.aux.update(in_channels=8, channels=widths, hidden=((8,),) * 4)
    backbone.update(rgb_channels=widths, aux_channels=widths)
    head.update(in_channels=widths, width=8, channels=8)
