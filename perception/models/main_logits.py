# SPDX-License-Identifier: Apache-2.0
"""Heads that give several logits in training: which are those that the network answers with."""

from __future__ import annotations

from typing import Any, NamedTuple

from torch import Tensor, nn


class Main(NamedTuple):
    """The main logits of a head: their place in what it returns in training, and the name of their loss."""

    place: int
    loss: str


MAIN = {
    "DDRHead": Main(0, "loss_context"),
    "ESANetHead": Main(0, "loss_main"),
    "PIDHead": Main(1, "loss_sem_i"),
    "PIDBranchesHead": Main(1, "loss_sem_i"),
}
"""By the head's class; all other heads give one."""


def main_of(head: nn.Module) -> Main | None:
    """Where a head's main logits are; None for a head that gives no others."""
    return MAIN.get(type(head).__name__)


def main_logits(head: nn.Module, output: Any) -> Tensor:
    """The main logits (B, K, h, w) among a head's output, in training or not."""
    if isinstance(output, Tensor):
        return output
    main = main_of(head)
    assert main is not None, f"{type(head).__name__} gives several logits, and MAIN has no entry for it"
    logits: Tensor = output[main.place]
    return logits


def main_loss(head: nn.Module) -> nn.Module:
    """The loss of the main logits."""
    main, losses = main_of(head), head.loss_decode
    chosen: Any = losses[main.place] if main is not None and isinstance(losses, nn.ModuleList) else losses
    loss: nn.Module = chosen
    return loss
