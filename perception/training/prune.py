# SPDX-License-Identifier: Apache-2.0
"""Structured pruning: removes the channels inside basic blocks whose loss increase is smallest for the time they
take."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn

from perception.errors import ModelError
from perception.models.slim_resnet import SlimBlock

GROUP = 16
"""Channels are removed in groups that fill a vector register; fewer would not save time."""


class Channels(NamedTuple):
    """The channels inside a block. importance: (hidden,) of each. cost: multiplications of one of them."""

    importance: Tensor
    cost: int


def measure_importance(model: BaseModel, batches: Iterable[Mapping[str, Tensor]]) -> dict[str, Channels]:
    """By the name of every `SlimBlock`: how much the loss would change without each of its channels.

    batches: as a DataLoader collates a `Mixture`. First-order Taylor expansion of the loss, squared and summed over the
    batches (Molchanov et al., CVPR 2019). Raises ModelError for a network without such blocks.
    """
    blocks = {name: module for name, module in model.named_modules() if isinstance(module, SlimBlock)}
    if not blocks:
        raise ModelError("this network has no SlimBlock: nothing in it can be pruned")
    seen: dict[str, Tensor] = {}
    hooks = [block.act.register_forward_hook(_keep(seen, name)) for name, block in blocks.items()]
    importance: dict[str, Tensor] = {}
    model.eval()  # with the running statistics that the network will be used with
    for batch in batches:
        model.zero_grad()
        losses = model(**model.data_preprocessor(dict(batch), True), mode="loss")
        model.parse_losses(losses)[0].backward()
        for name, out in seen.items():
            assert out.grad is not None
            taylor = (out.detach() * out.grad).sum((0, 2, 3)).square()
            importance[name] = importance.get(name, torch.zeros_like(taylor)) + taylor
    for hook in hooks:
        hook.remove()
    return {
        name: Channels(importance[name], 9 * seen[name][0, 0].numel() * _neighbours(block))
        for name, block in blocks.items()
    }


def _keep(seen: dict[str, Tensor], name: str) -> Any:
    def hook(_module: nn.Module, _inputs: Any, out: Tensor) -> None:
        out.retain_grad()
        seen[name] = out

    return hook


def _neighbours(block: SlimBlock) -> int:
    return block.conv1.in_channels + block.conv2.out_channels


def choose(channels: Mapping[str, Channels], keep: float, at_least: float = 0.25) -> dict[str, Tensor]:
    """The indices, in rising order, of the channels to keep in each block.

    keep: share of the blocks' multiplications to keep. at_least: share of a block's channels to keep whatever
    their importance, since a first-order estimate is too small in deep blocks. Groups are removed by importance per
    multiplication, the lowest first. Raises ModelError if `keep` is not in (0, 1].
    """
    if not 0 < keep <= 1:
        raise ModelError(f"keep {keep}: must be more than 0 and at most 1")
    order = {name: block.importance.argsort(descending=True) for name, block in channels.items()}
    left = {name: len(block.importance) for name, block in channels.items()}
    groups = sorted(
        (float(block.importance[order[name][start : start + GROUP]].sum()) / block.cost, name)
        for name, block in channels.items()
        for start in range(GROUP, len(block.importance), GROUP)
        if start >= at_least * len(block.importance)
    )
    total = sum(left[name] * block.cost for name, block in channels.items())
    for _, name in groups:
        cost = sum(left[name] * block.cost for name, block in channels.items())
        if cost <= keep * total:
            break
        left[name] -= left[name] % GROUP or GROUP
    return {name: order[name][: left[name]].sort().values for name in channels}


def prune(
    state: Mapping[str, Tensor], config: Mapping[str, Any], stay: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and model config (see `perception.engines.weights`) with only the channels `stay` inside the blocks."""
    state, pruned = dict(state), copy.deepcopy(dict(config))
    for name, numbers in stay.items():
        for tensor in ("conv1.weight", "bn1.weight", "bn1.bias", "bn1.running_mean", "bn1.running_var"):
            state[f"{name}.{tensor}"] = state[f"{name}.{tensor}"][numbers]
        state[f"{name}.conv2.weight"] = state[f"{name}.conv2.weight"][:, numbers]
        *path, _, stage, block = name.split(".")  # of the network to a SlimResNet, and of a block in it
        network = pruned
        for key in path:
            network = network[key]
        hidden = [list(widths) for widths in network["hidden"]]
        hidden[int(stage)][int(block)] = len(numbers)
        network["hidden"] = hidden
    return state, pruned
