# SPDX-License-Identifier: Apache-2.0
"""`perception pseudo-label`."""

from __future__ import annotations

import argparse

from perception.cli.shared import add, named_root
from perception.extras import needs

SUMMARY = "label frames with a trained network, to train on its confident predictions"

EXAMPLES = """\
perception pseudo-label kitti-frames=DATA/kitti --model first.safetensors -o out/pseudo
perception train dual_branch_s --init first.safetensors --data camvid=DATA/camvid --data pseudo=out/pseudo

perception pseudo-label penn-fudan=DATA/penn_fudan --fill --model first.safetensors -o out/people

Frames that have labels are left out, unless --all or --fill is given. Each frame is predicted twice, once mirrored.
Pixels below the threshold of their class are not labelled.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("data", metavar="NAME=ROOT", help="a data set and its folder")
    add(
        parser, "--model", ", written by `perception train`; FILE@0.7 labels at a part of the resolution", required=True
    )
    add(parser, "--split", " (all)", default="all")
    parser.add_argument(
        "--thresholds",
        type=float,
        nargs="+",
        default=(0.8, 0.8, 0.8, 0.7),
        metavar="P",
        help="lowest probability for a label, by class: background, road, vehicle, pedestrian, and optionally the "
        "network's further classes, else the same as the class that contains them (default: 0.8 0.8 0.8 0.7)",
    )
    which = parser.add_mutually_exclusive_group()
    add(which, "--all", ": also frames that have labels")
    which.add_argument("--fill", action="store_true", help="keep labels, and label only the unlabelled pixels")
    add(parser, "--modalities", " (default: all of a frame)", nargs="+")
    add(parser, "--output", required=True)


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console
    from rich.progress import track

    with needs("labelling needs torch and mmseg", "train"):
        from perception.training.pseudo_label_run import (
            ALL,
            FILL,
            UNLABELLED_ONLY,
            PseudoLabelOptions,
            run_pseudo_label,
        )

    name, root = named_root(args.data)
    console = Console()
    options = PseudoLabelOptions(
        dataset=name,
        root=root,
        model=args.model,
        output=args.output,
        split=args.split,
        thresholds=args.thresholds,
        which=ALL if args.all else FILL if args.fill else UNLABELLED_ONLY,
        modalities=[sensor for names in args.modalities or () for sensor in names],
    )
    found = run_pseudo_label(options, lambda numbers: track(numbers, "labelling", console=console))
    console.print(f"{found.frames} frames labelled, {found.sure:.0%} of their pixels: {args.output}")
    return 0
