# SPDX-License-Identifier: Apache-2.0
"""`perception explain`: why the network said what it said of one frame."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import add_reading, add_topics, at_least_one
from perception.disk import write_json
from perception.engines import ENGINES
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM, METHODS, STRIDES

if TYPE_CHECKING:
    from perception.explanation.network import ExplainedNetwork

SUMMARY = "show why it said so: saliency, attention, what each sensor changes"
EXAMPLES = """\
perception explain simulated:7                                 a rendered frame, with exact labels
perception explain simulated:7:40 --condition night -o night.png --json night.json
perception explain ~/kitti/2011_09_26/2011_09_26_drive_0005_sync:3
perception explain out/drive:12                                of a drive that `perception simulate` wrote
perception explain bag:40 --topics kitti2bag                   the 41st frame of a rosbag2, as `perception label` has it
perception explain images:7 --depth-unit mm                    of a folder of images; or by its name, as images:000007
perception explain street.png                                  the camera alone
perception explain thermal.png --as infrared
perception explain image_2/000001.png --points velodyne/000001.bin --calibration calib/000001.txt

The figure shows the masks and their confidence; what spoke for each class (Grad-CAM); whom each fusion listened to, and
where each sensor is let in; and which labels change when a sensor is taken away. Without PyTorch (extra `train`) it
shows the masks and what changes without a sensor.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `perception explain`."""
    parser.add_argument(
        "frame",
        metavar="FRAME",
        help="an image file; BAG:NUMBER, FOLDER:NUMBER or DRIVE:NUMBER, of what `perception label` takes, from 0 (of a"
        " KITTI raw drive the file's); or simulated:SEED[:INDEX]",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("explanation.png"),
        metavar="FILE",
        help="the figure (explanation.png)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE")
    parser.add_argument("--saliency", choices=METHODS, default=GRAD_CAM, help="how it is computed (grad-cam)")
    parser.add_argument(
        "--stride", type=int, choices=STRIDES, default=DEFAULT_STRIDE, help="of the features that it is of (16)"
    )
    parser.add_argument("--condition", default="day", help="of simulated:SEED: day, dusk, night, fog or rain (day)")
    parser.add_argument("--model", help="a shipped model's name or a path, its .safetensors beside it (the default)")
    parser.add_argument("--engine", choices=("auto", *ENGINES), default="auto", help="what runs the network (auto)")
    parser.add_argument("--threads", type=at_least_one, help="CPU threads (default: every core)")
    add_reading(parser)
    add_topics(parser)
    parser.add_argument(
        "--calibration",
        type=Path,
        metavar="FILE",
        help="the node's calibration YAML, for what a bag or folder lacks; of an image also KITTI's folder or .txt",
    )
    image = parser.add_argument_group("beside an image file, registered to it")
    image.add_argument("--points", type=Path, metavar="FILE", help="a sweep as KITTI's .bin; needs --calibration")
    image.add_argument("--depth", type=Path, metavar="FILE", help="16-bit PNG, 0 invalid; see --depth-unit")
    image.add_argument("--infrared", type=Path, metavar="FILE", help="8- or 16-bit grey image")


def run(args: argparse.Namespace) -> int:
    """Explains, draws the figure, prints the tables and writes the JSON file."""
    from rich.console import Console

    from perception.datasets.simulated import Relabelled
    from perception.evaluation.evaluate import truth_of
    from perception.explanation.asked import open_frame
    from perception.explanation.explain import explain
    from perception.explanation.figure import draw, write
    from perception.explanation.table import tables
    from perception.pipeline import Pipeline

    console = Console(highlight=False)
    with console.status(f"{args.frame}: reading or rendering"):
        sample, notes = open_frame(args)
    pipeline = Pipeline.load(args.model, engine=args.engine, threads=args.threads)
    with console.status(f"{args.frame}: explaining"):
        network = _network(args.model, args.threads, notes)
        sample = Relabelled([sample], pipeline.classes)[0]  # truth is of the simulator alone
        found = explain(sample.frame, pipeline, network, truth_of(sample), args.stride, args.saliency)
        write(args.output, draw(found, sample.name))
    console.print(*tables(found), sep="\n")
    engine = pipeline.engine.name
    if found.agreement is not None:
        notes.append(f"{engine} and PyTorch, which was looked into, agree on {found.agreement:.2%} of the labels")
    for line in (*notes, f"figure: {args.output}"):
        console.print(line, soft_wrap=True, markup=False)
    if args.json:
        model = {"model": pipeline.model.name, "weights_sha256": pipeline.weights_sha256, "engine": engine}
        write_json(args.json, {"frame": sample.name, "notes": notes, **model, **found.to_dict()})
    return 0


def _network(model: str | None, threads: int | None, notes: list[str]) -> ExplainedNetwork | None:
    """What is looked into; None without PyTorch or the model's weights in it, which is noted."""
    left_out = "saliency, and whom each fusion listened to, are left out"
    try:
        import torch

        from perception.explanation.network import ExplainedNetwork, NotInPyTorch
    except ImportError as error:
        notes.append(f"{left_out}: they need PyTorch: pip install 'multimodal_perception[train]' ({error})")
        return None
    if threads is not None:
        torch.set_num_threads(threads)
    try:
        return ExplainedNetwork.load(model)
    except NotInPyTorch as error:
        notes.append(f"{left_out}: {error}")
        return None
