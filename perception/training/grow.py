# SPDX-License-Identifier: Apache-2.0
"""Begin with a smaller network's weights: what is new changes nothing at first (Net2Net, Chen et al., ICLR 2016)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from perception.classes import Classes
from perception.errors import ModelError

UNLIKELIER = 2.0
"""Logits by which a new class begins below the one that it was within."""


def with_classes(state: Mapping[str, Tensor], before: Classes, now: Classes) -> dict[str, Tensor]:
    """`state` of a network of the classes `before`, its last convolution as one of the classes `now` has it.

    What is new begins as what it was within, a little unlikelier, so that the answers stay what they were.
    """
    changed = dict(state)
    for name in ("decode_head.conv_seg.weight", "decode_head.conv_seg.bias"):
        if name not in state:
            continue
        parts = dict(zip(before.names, state[name].chunk(len(before)), strict=True))
        less = UNLIKELIER if name.endswith("bias") else 0.0
        of_each = (parts[row.name] if row.name in parts else parts[row.within] - less for row in now.rows)
        changed[name] = torch.cat(list(of_each))
    return changed


def begin_with(model: nn.Module, state: Mapping[str, Tensor]) -> int:
    """Load `state` into `model`, which may have wider convolutions and more blocks; how many tensors it had not.

    A wider convolution takes over the channels that there were; new inputs have weight 0, new outputs the random ones
    that the model has. A block that `state` lacks stays as the model made it; those that begin as the identity
    (`WideKernelBlock`) leave the network's answers as they were. Raises ModelError where `state` is not a part of the
    model: unknown names or larger tensors.
    """
    own = dict(model.state_dict())
    strange = set(state) - set(own)
    if strange:
        raise ModelError(f"does not fit this config's model: it has no {min(strange)}")
    for name, old in state.items():
        new = own[name]
        if old.shape == new.shape:
            own[name] = old
            continue
        if old.ndim != new.ndim or any(a > b for a, b in zip(old.shape, new.shape, strict=True)):
            raise ModelError(f"does not fit this config's model: {name} is {[*old.shape]}, not {[*new.shape]} or less")
        grown = new.clone()
        if new.ndim > 1:
            grown[:, old.shape[1] :] = 0
        grown[tuple(slice(length) for length in old.shape)] = old
        own[name] = grown
    with torch.no_grad():
        model.load_state_dict(own)
    return len(set(own) - set(state))
