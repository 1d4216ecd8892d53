# SPDX-License-Identifier: Apache-2.0
"""`perception export`."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

from perception.cli.shared import add, at_least_one, model, named_root
from perception.errors import PerceptionError
from perception.storage import Source, Target

if TYPE_CHECKING:
    from rich.table import Table

    from perception.export.job import ExportReport

SUMMARY = "convert trained weights to engine files and check that they agree"

EXAMPLES = """\
perception export work_dirs/first/weights.safetensors
perception export work_dirs/first/weights.safetensors --format openvino onnx --int8 -o vehicle
perception export work_dirs/first/weights.safetensors --int8 --data camvid=~/data/camvid --data idd-lite=~/data/idd_lite
perception export work_dirs/first/weights.safetensors -o vehicle/model.xml --frames 8

openvino writes NAME.xml and .bin for the engine openvino, onnx writes NAME.onnx for onnxruntime and tensorrt, --int8
writes NAME_int8.xml and .bin, which openvino runs too. Each file's labels are compared with PyTorch's on simulated
frames, with all sensors and with some, and on real frames of --data; below 99.9 % agreement (INT8: 99 %) nothing is
written. NAME.check.npz holds one of the frames and PyTorch's labels; the node compares its labels with them when it
configures. SHA256SUMS lists the written files: a file that has changed since is not loaded.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "weights", type=model, help="a .safetensors file of `perception train`, or a shipped model's name (with -o)"
    )
    add(parser, "--format", ": openvino, onnx (openvino)", nargs="+", choices=("openvino", "onnx"),
        default=["openvino"])  # fmt: skip
    add(parser, "--int8", ": OpenVINO's INT8 form")
    add(parser, "--output", ", also a file's name (default: beside the weights)", metavar="DIR|FILE")
    add(parser, "--data", ": check also with its validation frames, calibrate with its training frames",
        action="append", default=[])  # fmt: skip
    add(parser, "--frames", " of each kind, for the check (4)", default=4)
    parser.add_argument(
        "--calibration-frames",
        type=at_least_one,
        default=60,
        metavar="N",
        help="number of frames of each kind that determine INT8's ranges (default: %(default)s)",
    )
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console

    from perception.export.job import ExportOptions, run_export
    from perception.reporting.reports import write_report

    if isinstance(args.weights, Source) and args.output is None:
        raise PerceptionError(f"{args.weights}: in an object store, whose folder stays as it is; say -o FOLDER")
    if isinstance(args.output, Target) and args.output.suffix:
        raise PerceptionError(f"{args.output}: in an object store -o names a folder, not a file")
    console = Console()
    options = ExportOptions(
        weights=args.weights,
        formats=args.format,
        int8=args.int8,
        output=args.output,
        data=[named_root(item) for item in args.data],
        frames=args.frames,
        calibration_frames=args.calibration_frames,
    )
    report = run_export(options, console.status)
    console.print(_table(report))
    if args.json:
        write_report(args.json, "export", report)
    return 0


def _table(report: ExportReport) -> Table:
    from rich.table import Column, Table

    said = (
        "agreement with PyTorch's labels: share of pixels, and IoU by class; – if neither has the class. Accuracy: eval"
    )
    names = report.files[0].agreement_iou
    table = Table(Column("file", no_wrap=True), "MB", "labels as PyTorch", *names, title=report.folder, caption=said)
    for each in report.files:
        ious = ("–" if math.isnan(value) else f"{value:.4f}" for value in each.agreement_iou.values())
        table.add_row(each.file, f"{each.megabytes:.1f}", f"{each.label_agreement:.4%}", *ious)
    return table
