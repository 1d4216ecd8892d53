# SPDX-License-Identifier: Apache-2.0
"""`perception prune`."""

from __future__ import annotations

import argparse
from pathlib import Path

from perception.cli.shared import at_least_one, at_least_zero, named_root, not_negative, positive
from perception.extras import needs

SUMMARY = "make a trained network faster by taking away the channels it needs least"

EXAMPLES = """\
perception prune dual_branch_s first.safetensors --data camvid=DATA/camvid --keep 0.5 -o work_dirs/pruned
perception train work_dirs/pruned/config.py --init work_dirs/pruned/weights.safetensors --data … -o work_dirs/second

Writes weights.safetensors and the config.py that they fit. The network has to be trained again, if only briefly:
straight after pruning it is much worse.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from perception.cli.train import add_network_and_data

    add_network_and_data(parser)
    parser.add_argument("weights", type=Path, help="the .safetensors to prune, trained with that config")
    parser.add_argument(
        "--keep", type=positive, default=0.5, help="share of the blocks' operations that stays (default: %(default)s)"
    )
    parser.add_argument(
        "--at-least",
        type=not_negative,
        default=0.25,
        help="share of each block's channels that stays (default: %(default)s)",
    )
    parser.add_argument(
        "--batches",
        type=at_least_one,
        default=50,
        help="to measure each channel's importance with (default: %(default)s)",
    )
    parser.add_argument("--seed", type=at_least_zero, default=0, help="of the crops (default: %(default)s)")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where to write")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console
    from rich.table import Table

    from perception.cli.train import network_and_recipe

    with needs("pruning needs torch and mmseg", "train"):
        from torch.utils.data import DataLoader

        from perception.engines.described import classes_of
        from perception.engines.weights import build_model, load_weights, save_weights
        from perception.training.data.sources import open_mixture
        from perception.training.prune import choose, measure_importance, prune
        from perception.training.recipe import read_recipe
        from perception.training.train import read_network

    console = Console()
    path, name = network_and_recipe(args)
    config, recipe = read_network(path), read_recipe(name)
    data = [named_root(item) for item in args.data]
    size = recipe.batch_size
    classes = classes_of(args.weights)
    crops = open_mixture(recipe, data, args.batches * size, args.seed, console.print, classes=classes)
    with console.status(f"measuring importance with {args.batches} batches"):
        channels = measure_importance(build_model(args.weights), DataLoader(crops, size))
    stay = choose(channels, args.keep, args.at_least)
    state, model = prune(*load_weights(args.weights), stay)
    args.output.mkdir(parents=True, exist_ok=True)
    save_weights(args.output / "weights.safetensors", state, model, config.get("custom_imports"), classes)
    config.model = model
    config.dump(args.output / "config.py")
    table = Table("block", "channels", "of", title=str(args.output))
    for name, numbers in stay.items():
        table.add_row(name, str(len(numbers)), str(len(channels[name].importance)))
    console.print(table)
    return 0
