# SPDX-License-Identifier: Apache-2.0
"""`perception explain`: why the network made its prediction for one frame."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from perception.cli.shared import LOOKS, add, add_engine, add_reading
from perception.explanation.methods import DEFAULT_STRIDE, GRAD_CAM, METHODS, STRIDES
from perception.storage import source

if TYPE_CHECKING:
    from perception.explanation.asked import Asked

SUMMARY = "explain a prediction: saliency, attention, and the effect of each sensor"
EXAMPLES = """\
perception explain simulated:7                                 a rendered frame, with exact labels
perception explain simulated:7:40 --condition night -o night.png --json night.json
perception explain ~/kitti/2011_09_26/2011_09_26_drive_0005_sync:3
perception explain out/drive:12                                a frame of a drive written by `perception simulate`
perception explain bag:40 --topics kitti2bag                   the 41st frame of a rosbag2, as in `perception label`
perception explain images:7 --depth-unit mm                    a frame of a folder of images; or by name: images:000007
perception explain street.png                                  only the camera
perception explain thermal.png --as infrared
perception explain image_2/000001.png --points velodyne/000001.bin --calibration calib/000001.txt

The figure shows the masks and their confidence; the evidence for each class (Grad-CAM); the weights of each fusion and
the gates of the sensors; and which labels change without each sensor. Without PyTorch (extra `train`) it shows only the
masks and the changes without each sensor.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declares the options of `perception explain`."""
    parser.add_argument(
        "frame",
        metavar="FRAME",
        help="an image file; BAG:NUMBER, FOLDER:NUMBER or DRIVE:NUMBER, of the inputs of `perception label`, from 0"
        " (for a KITTI raw drive, the file's number); or simulated:SEED[:INDEX]",
    )
    add(parser, "--output", " the figure (explanation.png)", default=Path("explanation.png"), metavar="FILE")
    add(parser, "--json")
    parser.add_argument("--saliency", choices=METHODS, default=GRAD_CAM, help="method of the saliency (grad-cam)")
    parser.add_argument(
        "--stride", type=int, choices=STRIDES, default=DEFAULT_STRIDE, help="stride of the explained features (16)"
    )
    add(parser, "--condition", ", for simulated:SEED (day)", default="day")
    add(parser, "--model", LOOKS + ", with its .safetensors beside it (default: the shipped ones)")
    add_engine(parser)
    add(parser, "--threads", " (every core)")
    add_reading(parser)
    add(parser, "--topics")
    add(parser, "--calibration", "; for an image also KITTI's folder or .txt")
    image = parser.add_argument_group("files beside an image file, registered to it")
    image.add_argument("--points", type=source, metavar="FILE", help="a sweep as KITTI's .bin; needs --calibration")
    image.add_argument("--depth", type=source, metavar="FILE", help="16-bit PNG, 0 invalid; see --depth-unit")
    image.add_argument("--infrared", type=source, metavar="FILE", help="8- or 16-bit grey image")


def run(args: argparse.Namespace) -> int:
    """Explains, draws the figure, prints the tables and writes the JSON file."""
    from rich.console import Console

    from perception.explanation.job import ExplainOptions, run_explain
    from perception.explanation.table import tables
    from perception.reporting.reports import write_report

    console = Console(highlight=False)
    options = ExplainOptions(
        asked=asked(args),
        output=args.output,
        saliency=args.saliency,
        stride=args.stride,
        model=args.model,
        engine=args.engine,
        threads=args.threads,
    )
    found, report = run_explain(options, console.status)
    console.print(*tables(found), sep="\n")
    for line in (*report.notes, f"figure: {args.output}"):
        console.print(line, soft_wrap=True, markup=False)
    if args.json:
        write_report(args.json, "explain", report)
    return 0


def asked(args: argparse.Namespace) -> Asked:
    """The frame that the options name."""
    from perception.explanation.asked import Asked

    return Asked(
        frame=args.frame,
        condition=args.condition,
        kind=args.kind,
        depth_unit=args.depth_unit,
        topics=args.topics,
        calibration=args.calibration,
        points=args.points,
        depth=args.depth,
        infrared=args.infrared,
    )
