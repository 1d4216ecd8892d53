# SPDX-License-Identifier: Apache-2.0
"""`perception train`."""

from __future__ import annotations

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from perception import registry
from perception.cli.shared import add, at_least_one, at_least_zero, model, named_root, positive
from perception.disk import made_folder
from perception.errors import ModelError, PerceptionError
from perception.extras import needs
from perception.storage import local, source
from perception.training.baselines import BASELINES

CONTINUES = True  # --resume finds in an object store what an earlier run left there

NETWORK, FORMER, FORMER_RECIPE = "dual_branch_s", "dual_branch_s_real", "real"
"""A network, the name that it had together with a recipe, and that recipe."""

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
perception train dual_branch_s --nproc 4 --batch-size 64 --data camvid=DATA/camvid -o work_dirs/shared
perception train mask_rcnn --data penn-fudan=DATA/penn_fudan --data simulated=out/drives -o work_dirs/mask_rcnn

Recipes:
  scratch    from random weights, on simulated and real frames
  real       the recipe of the shipped weights: every real set, faulty sensors, also each branch by itself
  short      from random weights in minutes, on small crops, to rank networks
  finetune   your own frames, starting from the shipped weights
  instances  the head that tells vehicles and pedestrians apart, alone, on the shipped weights
  FILE.py    your own: docs/training.md lists its settings

Data sets: those of `perception eval` that the recipe names: it sets how often each is drawn.
To compare with: mask_rcnn of torchvision and yolov8n_seg of Ultralytics (AGPL-3.0), each with an extra of its own, from
sets that tell vehicles and people apart; model.onnx and model.yaml are for every --model (docs/export.md).
Several machines: torchrun … -m perception train … on each (docs/scale.md).
The output folder gets last.pt, to resume from, and weights.safetensors, for `perception eval` and `perception export`.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    add_network_and_data(parser)
    add(parser, "--output", " (default: work_dirs/train)", former="--work-dir", default=Path("work_dirs/train"))
    parser.add_argument("--iterations", type=at_least_one, help="optimiser steps (default: the recipe's)")
    parser.add_argument("--batch-size", type=at_least_one, help="crops per step (default: the recipe's)")
    parser.add_argument("--learning-rate", type=positive, help="peak learning rate (default: the recipe's)")
    add(parser, "--seed", ": weights, crops and augmentation (0)", default=0)
    add(parser, "--workers", " for making crops (2)", type=at_least_zero, default=2)
    parser.add_argument(
        "--nproc",
        type=at_least_one,
        metavar="N",
        help="train in N processes of this machine, each with a part of every batch; one for each GPU",
    )
    parser.add_argument(
        "--max-restarts",
        type=at_least_zero,
        default=3,
        metavar="N",
        help="with --nproc: when a process is lost, go on from the last checkpoint, at most N times (%(default)s)",
    )
    parser.add_argument(
        "--init",
        type=model,
        metavar="WEIGHTS",
        help="start from these weights: .safetensors, or a shipped model's name (default: the recipe's)",
    )
    parser.add_argument(
        "--teacher", type=model, nargs="+", default=[], metavar="WEIGHTS", help="learn also from these networks"
    )
    parser.add_argument(
        "--pretrain",
        nargs="?",
        const="masked",
        choices=("masked", "contrastive"),
        help="learn without labels, to fill in hidden parts of every sensor (masked, if nothing is said), or that two "
        "views of a place by different sensors are alike (contrastive); use the result with --init",
    )
    parser.add_argument("--resume", action="store_true", help="continue from last.pt in the output folder")
    parser.add_argument(
        "--save-interval", type=at_least_one, default=250, help="steps between checkpoints (default: %(default)s)"
    )


def add_network_and_data(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of every command that needs training data."""
    parser.add_argument(
        "network", help="mmengine config: a path, or a network's name, such as those in configs/networks"
    )
    add(parser, "--recipe", " (default: scratch)")
    add(parser, "--data", action="append", required=True)


def network_and_recipe(args: argparse.Namespace) -> tuple[str, str]:
    """The network's and the recipe's name or path, as `add_network_and_data` takes them.

    Raises ModelError for old names of networks that are now a network with a recipe.
    """
    name, recipe = args.network, args.recipe
    if name == FORMER and recipe is None:
        print(f"{name} is called `{NETWORK} --recipe {FORMER_RECIPE}` now", file=sys.stderr)
        name, recipe = NETWORK, FORMER_RECIPE
    elif name == FORMER or name in FORMER_STAGES:
        raise ModelError(
            f"{name}: not a network any more: use `{NETWORK} --recipe {FORMER_RECIPE}`, or another recipe; "
            "docs/training.md describes the stages of the shipped weights, and where their configs are"
        )
    return name, recipe or "scratch"


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.network in BASELINES:
        return _train_baseline(args)
    with needs("training needs torch and mmseg", "train"):
        from perception.training.group import is_started
        from perception.training.launch import launch

    if args.nproc is None:
        return _run(args)
    if is_started():
        raise ModelError("--nproc starts processes, and torchrun has done so already: leave out --nproc")
    return max(launch(_run, args, processes=args.nproc, restarts=args.max_restarts))


def _train_baseline(args: argparse.Namespace) -> int:
    """Train another library's network, by that library's ways."""
    from rich.console import Console

    from perception.training.baselines.job import BaselineOptions, train_baseline

    given = {"--recipe": args.recipe, "--teacher": args.teacher, "--pretrain": args.pretrain, "--resume": args.resume}
    ours = [name for name, value in {**given, "--nproc": args.nproc}.items() if value]
    if ours:
        raise ModelError(f"{args.network}: is trained by its own library, which has no {' and no '.join(ours)}")
    options = BaselineOptions(
        data=[named_root(item) for item in args.data],
        output=args.output,
        iterations=args.iterations,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        seed=args.seed,
        workers=args.workers,
        init=None if args.init is None else local(source(args.init)),
    )
    console = Console()
    with made_folder(args.output):
        path = train_baseline(args.network, options, console.print)
    console.print(f"model: {path}", soft_wrap=True)
    return 0


def _run(args: argparse.Namespace) -> int:
    """Train in this process, as one of a group if it was started so; returns the exit code."""
    from perception.training.group import is_started, joined

    try:
        with joined() as first:
            _train(args, first)
    except PerceptionError as error:
        if not is_started() or args.debug:
            raise
        if os.environ["LOCAL_RANK"] == "0":  # the others of this machine have the same to say
            print(f"perception: {error}", file=sys.stderr)
        return 2
    return 0


def _train(args: argparse.Namespace, first: bool) -> None:
    """first: whether this process speaks for all that train together."""
    from rich.console import Console

    from perception.engines import find_weights
    from perception.models.networks import find_network
    from perception.training.pretraining.contrast import Contraster
    from perception.training.pretraining.pretrain import Reconstructor, pretrain
    from perception.training.recipe import read_recipe
    from perception.training.train import Options, read_network, train

    registry.load("sensors")  # what --import named: another process read the command line
    console = Console(quiet=not first)
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
    kind = Contraster if args.pretrain == Contraster.way else Reconstructor
    learn = partial(pretrain, kind=kind) if args.pretrain else train
    name, recipe = network_and_recipe(args)
    network = read_network(find_network(name))
    with made_folder(args.output):
        weights = learn(network, read_recipe(recipe), options, console.print)
    console.print(f"weights: {weights}")
