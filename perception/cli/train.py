# SPDX-License-Identifier: Apache-2.0
"""`perception train`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from perception.cli.shared import at_least_one, at_least_zero, named_root, positive
from perception.disk import made_folder
from perception.errors import ModelError
from perception.extras import needs

NETWORK, FORMER, FORMER_RECIPE = "dual_branch_s", "dual_branch_s_real", "real"
"""A network, what it was called together with a recipe, and that recipe."""

FORMER_STAGES = tuple(f"dual_branch_s_{stage}" for stage in ("rich", "tuned", "together", "fused", "aux", "camera"))

SUMMARY = "train a network on real data sets and simulated drives"

EXAMPLES = """\
perception simulate -o out/drives --drives 40 --frames 10
perception train dual_branch_s --data camvid=DATA/camvid --data simulated=out/drives -o work_dirs/first
perception train dual_branch_s --data camvid=DATA/camvid -o work_dirs/first --resume
perception train dual_branch_s --teacher large.safetensors --data camvid=DATA/camvid -o work_dirs/taught
perception train dual_branch_s --pretrain --data kitti-frames=DATA/kitti -o work_dirs/pretrained
perception train dual_branch_s --init work_dirs/pretrained/weights.safetensors --data … -o work_dirs/second
perception train dual_branch_s --recipe finetune --data folder=mine --data simulated=out/drives -o work_dirs/mine

Recipes:
  scratch   from random weights, on simulated and real frames
  real      what the shipped weights were last trained with: every real set, sensors that lie, each side alone too
  finetune  one's own frames, on from the shipped weights
  FILE.py   one's own: docs/training.md tells what it may say

Data sets: those of `perception eval`, as far as the recipe knows them: it tells how often each is drawn.
The output folder holds last.pt, to resume from, and weights.safetensors, for `perception eval` and `perception export`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_network_and_data(parser)
    parser.add_argument(
        "-o", "--work-dir", type=Path, default=Path("work_dirs/train"), help="output folder (default: %(default)s)"
    )
    parser.add_argument("--iterations", type=at_least_one, help="optimiser steps (default: the recipe's)")
    parser.add_argument("--batch-size", type=at_least_one, help="crops per step (default: the recipe's)")
    parser.add_argument("--learning-rate", type=positive, help="peak learning rate (default: the recipe's)")
    parser.add_argument(
        "--seed", type=at_least_zero, default=0, help="of weights, crops and augmentation (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=at_least_zero, default=2, help="processes that make crops (default: %(default)s)"
    )
    parser.add_argument(
        "--init",
        type=Path,
        metavar="WEIGHTS",
        help="start from these weights: .safetensors, or a shipped model's name (default: the recipe's)",
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


def add_network_and_data(parser: argparse.ArgumentParser) -> None:
    """Declare what every command that needs training data takes."""
    parser.add_argument("network", help="mmengine config: a path, or the name of one in configs/networks")
    parser.add_argument(
        "--recipe",
        metavar="NAME",
        help="how it is trained: the name of one in configs/recipes, or the path of a .py file (default: scratch)",
    )
    parser.add_argument(
        "--data", action="append", required=True, metavar="NAME=ROOT", help="a data set and its folder; repeatable"
    )


def network_and_recipe(args: argparse.Namespace) -> tuple[Path, str]:
    """The path of the network's config, and the recipe's name or path, as `add_network_and_data` takes them.

    Raises ModelError for a network that there is not, or no more.
    """
    from perception.paths import config_path

    name, recipe = args.network, args.recipe
    if name == FORMER and recipe is None:
        print(f"{name} is called `{NETWORK} --recipe {FORMER_RECIPE}` now", file=sys.stderr)
        name, recipe = NETWORK, FORMER_RECIPE
    elif name == FORMER or name in FORMER_STAGES:
        raise ModelError(
            f"{name}: not a network: say `{NETWORK} --recipe {FORMER_RECIPE}`, or another recipe; docs/training.md "
            "tells of the stages that the shipped weights went through, and where their configs are"
        )
    path = Path(name)
    return path if path.suffix else config_path(f"networks/{name}.py"), recipe or "scratch"


def weights_of(given: Path) -> Path:
    """The weights of a model that is given by path or by name. Raises ModelError for a name that there is not."""
    from perception.engines import find_model

    return given if given.suffix else find_model(given, "torch")[1]


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console

    with needs("training needs torch and mmseg", "train"):
        from perception.training.pretrain import pretrain
        from perception.training.recipe import read_recipe
        from perception.training.train import Options, read_network, train

    console = Console()
    options = Options(
        data=[named_root(item) for item in args.data],
        work_dir=args.work_dir,
        iterations=args.iterations,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        workers=args.workers,
        init=weights_of(args.init) if args.init else None,
        resume=args.resume,
        teachers=[weights_of(path) for path in args.teacher],
        save_interval=args.save_interval,
    )
    learn = pretrain if args.pretrain else train
    path, name = network_and_recipe(args)
    network, recipe = read_network(path), read_recipe(name)
    with made_folder(args.work_dir):
        weights = learn(network, recipe, options, console.print)
    console.print(f"weights: {weights}")
    return 0
