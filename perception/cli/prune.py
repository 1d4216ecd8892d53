# SPDX-License-Identifier: Apache-2.0
"""`perception prune`."""

from __future__ import annotations

import argparse

from perception.cli.shared import add, at_least_one, named_root, not_negative, positive
from perception.extras import needs
from perception.storage import source

SUMMARY = "make a trained network faster by removing its least important channels"

EXAMPLES = """\
perception prune dual_branch_s first.safetensors --data camvid=DATA/camvid --keep 0.5 -o work_dirs/pruned
perception train work_dirs/pruned/config.py --init work_dirs/pruned/weights.safetensors --data … -o work_dirs/second

Writes weights.safetensors and the matching config.py. Train the network again afterwards, at least briefly:
directly after pruning it is much worse.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    from perception.cli.train import add_network_and_data

    add_network_and_data(parser)
    parser.add_argument("weights", type=source, help="the .safetensors to prune, trained with that config")
    parser.add_argument(
        "--keep", type=positive, default=0.5, help="share of the blocks' operations to keep (default: %(default)s)"
    )
    parser.add_argument(
        "--at-least",
        type=not_negative,
        default=0.25,
        help="share of each block's channels to keep (default: %(default)s)",
    )
    parser.add_argument(
        "--batches",
        type=at_least_one,
        default=50,
        help="number of batches that measure each channel's importance (default: %(default)s)",
    )
    add(parser, "--seed", ": the crops (0)", default=0)
    add(parser, "--output", required=True)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console
    from rich.table import Table

    from perception.cli.train import network_and_recipe

    with needs("pruning needs torch and mmseg", "train"):
        from perception.training.prune_run import PruneOptions, run_prune

    console = Console()
    network, recipe = network_and_recipe(args)
    options = PruneOptions(
        network=network,
        recipe=recipe,
        weights=args.weights,
        data=[named_root(item) for item in args.data],
        output=args.output,
        keep=args.keep,
        at_least=args.at_least,
        batches=args.batches,
        seed=args.seed,
    )
    with console.status(f"measuring importance with {args.batches} batches"):
        blocks = run_prune(options, console.print)
    table = Table("block", "channels", "of", title=f"{args.output}")
    for block in blocks:
        table.add_row(block.name, str(block.channels), str(block.of))
    console.print(table)
    return 0
