# SPDX-License-Identifier: Apache-2.0
"""One run of `perception prune`: weights and config of a network with fewer channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch.utils.data import DataLoader

from perception.engines import find_weights
from perception.engines.described import classes_of
from perception.engines.weights import build_model, load_weights, save_weights
from perception.models.networks import find_network
from perception.training.data.sources import open_mixture
from perception.training.prune import choose, measure_importance, prune
from perception.training.recipe import read_recipe
from perception.training.train import read_network


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """The options of a pruning run.

    network, recipe: names or paths of those that the weights were trained with. data: names and folders of the data
    sets that measure each channel's importance, with so many batches. keep, at_least: see `choose`. seed: of the crops.
    """

    network: str
    recipe: str
    weights: Path
    data: Sequence[tuple[str, Path]]
    output: Path
    keep: float = 0.5
    at_least: float = 0.25
    batches: int = 50
    seed: int = 0


@dataclass(frozen=True)
class PrunedBlock:
    """For a module: how many channels stay, of how many. A wide-kernel block is one channel."""

    name: str
    channels: int
    of: int


def run_prune(options: PruneOptions, say: Callable[[str], None] = lambda line: None) -> list[PrunedBlock]:
    """Write weights.safetensors and the matching config.py into the output folder.

    say: called with messages about the data sets. Raises DataError and ModelError.
    """
    config, recipe = read_network(find_network(options.network)), read_recipe(options.recipe)
    weights, size = find_weights(options.weights), recipe.batch_size
    classes = classes_of(weights)
    crops = open_mixture(recipe, options.data, options.batches * size, options.seed, say, classes=classes)
    channels = measure_importance(build_model(weights), DataLoader(crops, size))
    stay = choose(channels, options.keep, options.at_least)
    state, model = prune(*load_weights(weights), stay)
    options.output.mkdir(parents=True, exist_ok=True)
    save_weights(options.output / "weights.safetensors", state, model, config.get("custom_imports"), classes)
    config.model = model
    config.dump(options.output / "config.py")
    return [PrunedBlock(name, numbers.shape[-1], channels[name].importance.shape[-1]) for name, numbers in stay.items()]
