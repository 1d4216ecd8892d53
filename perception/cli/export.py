# SPDX-License-Identifier: Apache-2.0
"""`perception export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from perception.cli.shared import named_root, needs
from perception.disk import write_json
from perception.errors import PerceptionError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from perception.sensors import NetworkInput

SUMMARY = "turn trained weights into engine files and check that they agree"

EXAMPLES = """\
perception export work_dirs/first/weights.safetensors
perception export work_dirs/first/weights.safetensors --format openvino onnx --int8 -o vehicle
perception export work_dirs/first/weights.safetensors --int8 --data camvid=~/data/camvid --data idd-lite=~/data/idd_lite
perception export work_dirs/first/weights.safetensors -o vehicle/model.xml --frames 8

openvino writes NAME.xml and .bin for the engine openvino, onnx writes NAME.onnx for onnxruntime and tensorrt, --int8
writes NAME_int8.xml and .bin, which openvino runs too. Each file's labels are compared with PyTorch's on simulated
frames, with all sensors and with some, and on real ones of --data; below 99.9 % agreement (INT8: 99 %) nothing is
written. NAME.check.npz holds one of the frames and PyTorch's labels, with which the node compares when it configures.
SHA256SUMS lists what was written: a file that has changed since is not loaded.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("weights", type=Path, help="the .safetensors that `perception train` wrote")
    parser.add_argument(
        "--format",
        nargs="+",
        choices=("openvino", "onnx"),
        default=["openvino"],
        help="what to write (default: openvino)",
    )
    parser.add_argument("--int8", action="store_true", help="write OpenVINO's INT8 form too")
    parser.add_argument(
        "-o", "--output", type=Path, metavar="DIR|FILE", help="a folder, or a file's name (default: beside the weights)"
    )
    parser.add_argument(
        "--data",
        action="append",
        default=[],
        metavar="NAME=ROOT",
        help="check with this data set's validation frames too, and calibrate with its training frames; repeatable",
    )
    parser.add_argument("--frames", type=int, default=4, help="for the check, of each kind (default: %(default)s)")
    parser.add_argument(
        "--calibration-frames",
        type=int,
        default=60,
        metavar="N",
        help="for INT8's ranges, of each kind (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON too")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console

    from perception.engines import manifest

    if args.frames < 1 or args.calibration_frames < 1:
        raise PerceptionError("--frames and --calibration-frames: at least one frame is needed")
    data = [named_root(item) for item in args.data]
    console = Console()
    target = _target(args)
    target.parent.mkdir(parents=True, exist_ok=True)
    # Beside the target, so that what has passed the check takes its place at once, and nothing else ever does.
    with TemporaryDirectory(prefix=".export-", dir=target.parent) as scratch:
        results = list(_export(args, data, Path(scratch) / target.name, console))
        written = [path.replace(target.parent / path.name) for path in Path(scratch).iterdir()]
    manifest.record(target.parent, written)
    console.print(_table(target.parent, results))
    if args.json:
        write_json(args.json, {"folder": str(target.parent), "files": results})
    return 0


def _target(args: argparse.Namespace) -> Path:
    """Where the files go, without suffix."""
    weights: Path = args.weights
    output: Path = args.output or weights.parent
    return output.with_suffix("") if output.suffix in (".xml", ".onnx") else output / weights.stem


def _export(
    args: argparse.Namespace, data: list[tuple[str, Path]], base: Path, console: Console
) -> Iterator[dict[str, Any]]:
    """Write and check one file after another; what is to be said of each."""
    with needs("export needs torch and mmseg", "train"):
        from perception.engines import canned
        from perception.engines.export import export_onnx, export_openvino
        from perception.engines.parity import MIN_AGREEMENT, MIN_AGREEMENT_INT8, check_parity
        from perception.engines.pytorch import TorchEngine
    from perception.cli.export_frames import check_frames, real_frames

    frames: list[NetworkInput] = []

    def checked(path: Path, at_least: float) -> dict[str, Any]:
        with console.status(f"{path.name}: comparing with PyTorch on {args.frames} frames of each kind"):
            if not frames:
                frames.extend(check_frames(args.frames))
                for name, root in data:
                    frames.extend(real_frames(name, root, args.frames, "val"))
            parity = check_parity(args.weights, path, frames, at_least)
            canned.write(path, frames[0], TorchEngine(args.weights, device="cpu"))
        size = (path.with_suffix(".bin") if path.suffix == ".xml" else path).stat().st_size
        return dict(file=path.name, megabytes=size / 1e6, label_agreement=parity.agreement, iou=parity.iou)

    if "openvino" in args.format or args.int8:
        with console.status("exporting to OpenVINO"):
            path = export_openvino(args.weights, base)
        yield checked(path, MIN_AGREEMENT)
    if args.int8:
        yield checked(_quantised(path, args.calibration_frames, data, console), MIN_AGREEMENT_INT8)
    if "onnx" in args.format:
        with console.status("exporting to ONNX"):
            path = export_onnx(args.weights, base)
        yield checked(path, MIN_AGREEMENT)


def _quantised(exported: Path, count: int, data: list[tuple[str, Path]], console: Console) -> Path:
    with needs("--int8 needs NNCF", "int8"):
        from perception.engines.quantise import quantise
    from perception.cli.export_frames import calibration_frames, real_frames

    with console.status(f"gathering {count} simulated frames to calibrate with, and real ones where asked for"):
        frames = list(calibration_frames(count))
        for name, root in data:
            frames += real_frames(name, root, count)
    return quantise(exported, frames)  # NNCF shows its own progress


def _table(folder: Path, results: list[dict[str, Any]]) -> Table:
    from rich.table import Column, Table

    ious = (f"IoU, {name}" for name in results[0]["iou"])
    table = Table(Column("file", no_wrap=True), "MB", "labels as PyTorch's", *ious, title=str(folder))
    for result in results:
        figures = (f"{result['megabytes']:.1f}", f"{result['label_agreement']:.4%}")
        table.add_row(result["file"], *figures, *(f"{value:.4f}" for value in result["iou"].values()))
    return table
