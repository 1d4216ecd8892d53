# SPDX-License-Identifier: Apache-2.0
"""`perception pseudo-label`."""

from __future__ import annotations

import argparse
from pathlib import Path

from perception.cli.shared import named_root
from perception.disk import made_folder, write_json
from perception.errors import DataError
from perception.extras import needs
from perception.sensors.spec import SPECS

SUMMARY = "label frames with a trained network, to train on what it is sure of"

EXAMPLES = """\
perception pseudo-label kitti-frames=DATA/kitti --model first.safetensors -o out/pseudo
perception train dual_branch_s --init first.safetensors --data camvid=DATA/camvid --data pseudo=out/pseudo

perception pseudo-label penn-fudan=DATA/penn_fudan --fill --model first.safetensors -o out/people

Frames that have labels are left out, unless --all or --fill. Each frame is seen as it is and mirrored. A pixel below
the threshold of its class teaches nothing.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("data", metavar="NAME=ROOT", help="a data set and its folder")
    parser.add_argument("--model", type=Path, required=True, metavar="WEIGHTS", help="of `perception train`")
    parser.add_argument("--split", default="all", help="of the data set (default: %(default)s)")
    parser.add_argument(
        "--thresholds",
        type=float,
        nargs=4,
        default=(0.8, 0.8, 0.8, 0.7),
        metavar=("BACKGROUND", "ROAD", "VEHICLE", "PEDESTRIAN"),
        help="least probability that teaches, by class (default: 0.8 0.8 0.8 0.7)",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--all", action="store_true", help="label anew what has labels")
    which.add_argument("--fill", action="store_true", help="keep labels, and label the pixels that they leave unknown")
    parser.add_argument(
        "--modalities", nargs="+", choices=tuple(SPECS), help="what the network may see (default: whatever a frame has)"
    )
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="where to write")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    import hashlib

    from rich.console import Console
    from rich.progress import track

    from perception.datasets.pseudo_labelled import INDEX, label_path, write_label
    from perception.datasets.registry import open_dataset
    from perception.sensors.presence import keep_modalities

    with needs("labelling needs torch and mmseg", "train"):
        from perception.engines.weights import build_model
        from perception.training.pseudo_label import PseudoLabeller

    name, root = named_root(args.data)
    samples = open_dataset(name, root, args.split)
    label = PseudoLabeller(build_model(args.model), args.thresholds)
    console = Console()
    numbers = []
    sure = 0.0
    with made_folder(args.output):
        for number in track(range(len(samples)), "labelling", console=console):
            sample = samples[number]
            if not (args.all or args.fill) and (sample.labels is not None or sample.probabilities is not None):
                continue
            soft = label(keep_modalities(sample.frame, args.modalities) if args.modalities else sample.frame)
            write_label(label_path(args.output, number), soft)
            sure += float((soft > 0).any(2).mean())
            numbers.append(number)
    if not numbers:
        raise DataError(f"{root}: every sample of {name} has labels; --all labels them anew")
    index = {
        "dataset": name,
        "root": str(root.resolve()),
        "split": args.split,
        "numbers": numbers,
        "filled": args.fill,
        "thresholds": list(args.thresholds),
        "weights_sha256": hashlib.sha256(args.model.read_bytes()).hexdigest(),
    }
    write_json(args.output / INDEX, index)
    console.print(f"{len(numbers)} frames labelled, {sure / len(numbers):.0%} of their pixels: {args.output}")
    return 0
