# SPDX-License-Identifier: Apache-2.0
"""`perception train`."""

from __future__ import annotations

import argparse
from pathlib import Path

from perception.cli.shared import add, at_least_one, at_least_zero, named_root, positive
from perception.disk import made_folder
from perception.extras import needs

SUMMARY = "train a network on real data sets and simulated drives"

EXAMPLES = """\
perception simulate -o out/drives --drives 40 --frames 10
perception train dual_branch_s --data camvid=DATA/camvid --data simulated=out/drives -o work_dirs/first
perception train dual_branch_s --data camvid=DATA/camvid -o work_dirs/first --resume
perception train dual_branch_s --teacher large.safetensors --data camvid=DATA/camvid -o work_dirs/taught
perception train dual_branch_s --pretrain --data kitti-frames=DATA/kitti -o work_dirs/pretrained
perception train dual_branch_s --init work_dirs/pretrained/weights.safetensors --data … -o work_dirs/second

Data sets: those of `perception eval`, as far as the config knows them: it tells how often each is drawn.
The output folder holds last.pt, to resume from, and weights.safetensors, for `perception eval` and `perception export`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_config_and_data(parser)
    add(parser, "--output", " (default: work_dirs/train)", former="--work-dir", default=Path("work_dirs/train"))
    parser.add_argument("--iterations", type=at_least_one, help="optimiser steps (default: the config's)")
    parser.add_argument("--batch-size", type=at_least_one, help="crops per step (default: the config's)")
    parser.add_argument("--learning-rate", type=positive, help="peak learning rate (default: the config's)")
    add(parser, "--seed", ": weights, crops and augmentation (0)", default=0)
    add(parser, "--workers", " of making crops (2)", type=at_least_zero, default=2)
    parser.add_argument(
        "--init", type=Path, metavar="WEIGHTS", help="start from these weights: .safetensors, or a shipped model's name"
    )
    parser.add_argument(
        "--teacher", type=Path, nargs="+", default=[], metavar="WEIGHTS", help="learn from these networks too"
    )
    parser.add_argument(
        "--pretrain",
        action="store_true",
        help="learn to fill in hidden parts of every sensor, without labels; use the result with --init",
    )
    parser.add_argument("--resume", action="store_true", help="go on from last.pt in the output folder")
    parser.add_argument(
        "--save-interval", type=at_least_one, default=250, help="steps between checkpoints (default: %(default)s)"
    )


def add_config_and_data(parser: argparse.ArgumentParser) -> None:
    """Declare what every command that needs training data takes."""
    parser.add_argument("config", help="mmengine config: a path, or a network's name, such as those in configs/models")
    add(parser, "--data", action="append", required=True)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console

    from perception.engines import find_weights

    with needs("training needs torch and mmseg", "train"):
        from perception.models.networks import find_network
        from perception.training.pretrain import pretrain
        from perception.training.train import Options, read_config, train

    console = Console()
    options = Options(
        data=[named_root(item) for item in args.data],
        work_dir=args.output,
        iterations=args.iterations,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        workers=args.workers,
        init=find_weights(args.init) if args.init else None,
        resume=args.resume,
        teachers=[find_weights(path) for path in args.teacher],
        save_interval=args.save_interval,
    )
    learn = pretrain if args.pretrain else train
    config = read_config(find_network(args.config))
    with made_folder(args.output):
        weights = learn(config, options, console.print)
    console.print(f"weights: {weights}")
    return 0
