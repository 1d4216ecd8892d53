# SPDX-License-Identifier: Apache-2.0
"""Structured pruning: removes the channels and the blocks whose loss increase is smallest for the time they take.

Channels are removed inside basic blocks and on the finest level of the decode head, where nothing else sees them;
wide-kernel blocks as a whole, since they add to what passes them.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from mmengine.model import BaseModel
from torch import Tensor

from perception.errors import ModelError
from perception.models.light_fpn_head import LightFPNHead
from perception.models.slim_resnet import SlimBlock, WideKernelBlock

GROUP = 16
"""Channels are removed in groups that fill a vector register; fewer would not save time."""

Part = SlimBlock | WideKernelBlock | LightFPNHead
"""Modules from which something can be removed."""


class Channels(NamedTuple):
    """What can be removed from a module. importance: (..., N) of each channel; those of one rank are removed together
    from every row. cost: multiplications of one channel. least: so many stay whatever their importance.
    """

    importance: Tensor
    cost: int
    least: int = GROUP


def measure_importance(model: BaseModel, batches: Iterable[Mapping[str, Tensor]]) -> dict[str, Channels]:
    """By the name of every `Part`: how much the loss would change without each of its channels.

    A `SlimBlock` has those inside; a `WideKernelBlock` counts as one channel; a `LightFPNHead` has two rows, the inputs
    and the outputs of its last 3×3 convolution.

    batches: as a DataLoader collates a `Mixture`. First-order Taylor expansion of the loss, squared and summed over the
    batches (Molchanov et al., CVPR 2019). Raises ModelError for a network without a SlimBlock.
    """
    parts: dict[str, Part] = {name: each for name, each in model.named_modules() if isinstance(each, Part)}
    if not any(isinstance(part, SlimBlock) for part in parts.values()):
        raise ModelError("this network has no SlimBlock: nothing in it can be pruned")
    seen: dict[str, list[Tensor]] = {name: [] for name in parts}
    hooks = [hook for name, part in parts.items() for hook in _watch(part, seen[name])]
    importance: dict[str, Tensor] = {}
    cells: dict[str, int] = {}
    model.eval()  # with the running statistics that the network will be used with
    for batch in batches:
        for outs in seen.values():
            outs.clear()
        model.zero_grad()
        losses = model(**model.data_preprocessor(dict(batch), True), mode="loss")
        model.parse_losses(losses)[0].backward()
        for name, outs in seen.items():
            taylor = torch.stack([_taylor(out) for out in outs]).squeeze(0)
            if isinstance(parts[name], WideKernelBlock):
                taylor = taylor.sum(0, keepdim=True)
            importance[name] = importance.get(name, torch.zeros_like(taylor)) + taylor.square()
            cells[name] = outs[0][0, 0].numel()
    for hook in hooks:
        hook.remove()
    return {
        name: Channels(
            importance[name], cells[name] * _weights(part), 0 if isinstance(part, WideKernelBlock) else GROUP
        )
        for name, part in parts.items()
    }


def _watch(part: Part, seen: list[Tensor]) -> list[Any]:
    """Keep what the hooked modules compute, with its gradient."""

    def keep(out: Tensor) -> None:
        out.retain_grad()
        seen.append(out)

    if isinstance(part, SlimBlock):
        return [part.act.register_forward_hook(lambda _module, _inputs, out: keep(out))]
    if isinstance(part, WideKernelBlock):
        return [part.project.register_forward_hook(lambda _module, _inputs, out: keep(out))]
    return [
        part.fine_smooth.register_forward_pre_hook(lambda _module, inputs: keep(inputs[0])),
        part.fine_smooth.register_forward_hook(lambda _module, _inputs, out: keep(out)),
    ]


def _taylor(out: Tensor) -> Tensor:
    assert out.grad is not None
    return (out.detach() * out.grad).sum((0, 2, 3))


def _least(part: Part) -> int:
    return 0 if isinstance(part, WideKernelBlock) else GROUP


def _weights(part: Part) -> int:
    """How many weights a channel of it has, which is how often it multiplies at each cell."""
    if isinstance(part, SlimBlock):
        return 9 * (part.conv1.in_channels + part.conv2.out_channels)
    if isinstance(part, WideKernelBlock):
        return sum(tensor.numel() for tensor in part.parameters() if tensor.ndim == 4)
    own, width = part.channels, part.narrow.conv.in_channels
    return 9 * own + width // 4 + part.fine_lateral.conv.in_channels + part.conv_seg.out_channels


def choose(channels: Mapping[str, Channels], keep: float, at_least: float = 0.25) -> dict[str, Tensor]:
    """The indices, in rising order, of the channels to keep in each module, (..., n).

    keep: share of the modules' multiplications to keep. at_least: share of a module's channels, and of a stage's
    wide-kernel blocks (rounded), to keep whatever their importance: a first-order estimate is too small in deep blocks.
    Groups are removed by importance per multiplication, the lowest first. Raises ModelError if `keep` is not in (0, 1].
    """
    if not 0 < keep <= 1:
        raise ModelError(f"keep {keep}: must be more than 0 and at most 1")
    order = {name: part.importance.argsort(descending=True) for name, part in channels.items()}
    left = {name: part.importance.shape[-1] for name, part in channels.items()}
    groups = sorted(
        (float(part.importance.gather(-1, order[name])[..., start : start + GROUP].sum()) / part.cost, name)
        for name, part in channels.items()
        for start in range(part.least, left[name], GROUP)
        if part.least == 0 or start >= at_least * left[name]
    )
    stages = Counter(_stage(name) for name, part in channels.items() if part.least == 0)
    fewest = {stage: round(at_least * blocks) for stage, blocks in stages.items()}
    total = sum(left[name] * part.cost for name, part in channels.items())
    for _, name in groups:
        cost = sum(left[name] * part.cost for name, part in channels.items())
        if cost <= keep * total:
            break
        if channels[name].least:
            left[name] -= left[name] % GROUP or GROUP
        elif stages[_stage(name)] > fewest[_stage(name)]:
            stages[_stage(name)] -= 1
            left[name] = 0
    return {name: order[name][..., : left[name]].sort().values for name in channels}


def prune(
    state: Mapping[str, Tensor], config: Mapping[str, Any], stay: Mapping[str, Tensor]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors and model config (see `perception.engines.weights`) with only the channels `stay` of each module."""
    state, pruned = dict(state), copy.deepcopy(dict(config))
    gone = []
    for name, numbers in stay.items():
        if f"{name}.fine_smooth.conv.weight" in state:
            _narrow_head(state, name, *numbers)
            _at(pruned, name)["channels"] = numbers.shape[-1]
        elif f"{name}.spread.conv.weight" in state:
            if not len(numbers):
                gone.append(name)
        else:
            for tensor in ("conv1.weight", *(f"bn1.{each}" for each in BATCH_NORM)):
                state[f"{name}.{tensor}"] = state[f"{name}.{tensor}"][numbers]
            state[f"{name}.conv2.weight"] = state[f"{name}.conv2.weight"][:, numbers]
            network, stage, block = _place(name)
            hidden = [list(widths) for widths in _at(pruned, network)["hidden"]]
            hidden[stage][block] = len(numbers)
            _at(pruned, network)["hidden"] = hidden
    for name in sorted(gone, key=_place, reverse=True):  # so that the names of those before it hold
        network, stage, block = _place(name)
        state = _without(state, f"{network}.stages.{stage}.", block)
        wide = list(_at(pruned, network)["wide"])
        wide[stage] -= 1
        _at(pruned, network)["wide"] = wide
    return state, pruned


BATCH_NORM = ("weight", "bias", "running_mean", "running_var")


def _narrow_head(state: dict[str, Tensor], name: str, inputs: Tensor, outputs: Tensor) -> None:
    """Keep those inputs and outputs of the last 3×3 convolution."""
    for layer, numbers in (("narrow", inputs), ("fine_lateral", inputs), ("fine_smooth", outputs)):
        for tensor in ("conv.weight", *(f"bn.{each}" for each in BATCH_NORM)):
            state[f"{name}.{layer}.{tensor}"] = state[f"{name}.{layer}.{tensor}"][numbers]
    state[f"{name}.fine_smooth.conv.weight"] = state[f"{name}.fine_smooth.conv.weight"][:, inputs]
    state[f"{name}.conv_seg.weight"] = state[f"{name}.conv_seg.weight"][:, outputs]


def _without(state: Mapping[str, Tensor], stage: str, block: int) -> dict[str, Tensor]:
    """The tensors but those of a block of the stage; the blocks behind it move up."""
    found = {}
    for name, tensor in state.items():
        number, _, rest = name.removeprefix(stage).partition(".")
        if not name.startswith(stage) or int(number) < block:
            found[name] = tensor
        elif int(number) > block:
            found[f"{stage}{int(number) - 1}.{rest}"] = tensor
    return found


def _stage(name: str) -> str:
    return name.rpartition(".")[0]


def _place(name: str) -> tuple[str, int, int]:
    """The name of a block's `SlimResNet`, its stage and its number there."""
    network, stage, block = name.replace(".stages.", ".").rsplit(".", 2)
    return network, int(stage), int(block)


def _at(config: dict[str, Any], name: str) -> dict[str, Any]:
    """The part of the config of that name."""
    for key in name.split("."):
        config = config[key]
    return config
