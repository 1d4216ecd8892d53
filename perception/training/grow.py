# SPDX-License-Identifier: Apache-2.0
"""Start from a smaller network's weights: new parts change nothing at first (Net2Net, Chen et al., ICLR 2016)."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from perception.classes import Classes
from perception.errors import ModelError

UNLIKELIER = 2.0
"""How many logits a new class starts below the class that contained it."""


def with_classes(state: Mapping[str, Tensor], before: Classes, now: Classes) -> dict[str, Tensor]:
    """`state` of a network with the classes `before`, with its last convolution extended to the classes `now`.

    A new class starts as the class that contained it, slightly less likely, so that the labels do not change.
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
    """Load `state` into `model`, which may have wider convolutions and more blocks; returns the number of new tensors.

    A wider convolution keeps the existing channels; new inputs have weight 0, new outputs the model's random
    weights. A block that `state` lacks stays as the model initialised it; blocks that start as the identity
    (`WideKernelBlock`) do not change the network's output. Raises ModelError if `state` is not a part of the
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
