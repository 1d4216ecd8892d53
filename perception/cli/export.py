# SPDX-License-Identifier: Apache-2.0
"""`perception export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from perception.cli.shared import at_least_one, named_root
from perception.cli.train import weights_of
from perception.disk import made_folder, write_json
from perception.errors import ModelError, PerceptionError
from perception.extras import needs
from perception.paths import WEIGHTS

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
    parser.add_argument(
        "weights", type=Path, help="the .safetensors that `perception train` wrote, or a shipped model's name (with -o)"
    )
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
    parser.add_argument(
        "--frames", type=at_least_one, default=4, help="for the check, of each kind (default: %(default)s)"
    )
    parser.add_argument(
        "--calibration-frames",
        type=at_least_one,
        default=60,
        metavar="N",
        help="for INT8's ranges, of each kind (default: %(default)s)",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON too")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console

    from perception.engines import manifest

    data = [named_root(item) for item in args.data]
    console = Console()
    args.weights = weights_of(args.weights)
    target = _target(args)
    if not args.weights.is_file():
        raise ModelError(f"{args.weights}: no such weights file")
    # Beside the target, so that what has passed the check takes its place at once, and nothing else ever does.
    with made_folder(target.parent), TemporaryDirectory(prefix=".export-", dir=target.parent) as scratch:
        results = list(_export(args, data, Path(scratch) / target.name, console))
        written = [path.replace(target.parent / path.name) for path in Path(scratch).iterdir()]
        manifest.record(target.parent, written)
    console.print(_table(target.parent, results))
    if args.json:
        write_json(args.json, {"folder": str(target.parent), "files": results})
    return 0


def _target(args: argparse.Namespace) -> Path:
    """Where the files go, without suffix. Raises PerceptionError where that would be among the shipped weights."""
    weights: Path = args.weights
    output: Path | None = args.output or (None if weights.parent == WEIGHTS else weights.parent)
    if output is None:
        raise PerceptionError(f"{weights.stem}: shipped weights, whose folder stays as it is; say -o FOLDER")
    return output.with_suffix("") if output.suffix in (".xml", ".onnx") else output / weights.stem


def _export(
    args: argparse.Namespace, data: list[tuple[str, Path]], base: Path, console: Console
) -> Iterator[dict[str, Any]]:
    """Write and check one file after another; what is to be said of each."""
    with needs("export needs torch and mmseg", "train"):
        from perception.engines import self_check as canned
        from perception.engines.pytorch import TorchEngine
        from perception.export.graph import export_onnx, export_openvino
        from perception.export.parity import MIN_AGREEMENT, MIN_AGREEMENT_INT8, check_parity
    from perception.evaluation.evaluate import plain
    from perception.export.frames import check_frames, real_frames

    reference = TorchEngine(args.weights, device="cpu")
    frames: list[NetworkInput] = []

    def checked(path: Path, at_least: float) -> dict[str, Any]:
        with console.status(f"{path.name}: comparing with PyTorch on {args.frames} frames of each kind"):
            if not frames:
                frames.extend(check_frames(args.frames, reference.sensors))
                for name, root in data:
                    frames.extend(real_frames(name, root, args.frames, "val", reference.sensors))
            parity = check_parity(args.weights, path, frames, at_least)
            canned.write(path, frames[0], reference)
        size = (path.with_suffix(".bin") if path.suffix == ".xml" else path).stat().st_size
        return dict(
            file=path.name, megabytes=size / 1e6, label_agreement=parity.agreement, agreement_iou=plain(parity.iou)
        )

    if "openvino" in args.format or args.int8:
        with console.status("exporting to OpenVINO"):
            path = export_openvino(args.weights, base)
        yield checked(path, MIN_AGREEMENT)
    if args.int8:
        yield checked(_quantised(path, args.calibration_frames, data, reference.sensors, console), MIN_AGREEMENT_INT8)
    if "onnx" in args.format:
        with console.status("exporting to ONNX"):
            path = export_onnx(args.weights, base)
        yield checked(path, MIN_AGREEMENT)


def _quantised(
    exported: Path, count: int, data: list[tuple[str, Path]], sensors: Sequence[str], console: Console
) -> Path:
    with needs("--int8 needs NNCF", "int8"):
        from perception.export.int8 import quantise
    from perception.export.frames import calibration_frames, real_frames

    with console.status(f"gathering {count} simulated frames to calibrate with, and real ones where asked for"):
        frames = list(calibration_frames(count, sensors))
        for name, root in data:
            frames += real_frames(name, root, count, sensors=sensors)
    return quantise(exported, frames)  # NNCF shows its own progress


def _table(folder: Path, results: list[dict[str, Any]]) -> Table:
    from rich.table import Column, Table

    said = (
        "labels as PyTorch's: of all pixels, and IoU by class; – where neither has the class. How good they are: eval"
    )
    names = results[0]["agreement_iou"]
    table = Table(Column("file", no_wrap=True), "MB", "labels as PyTorch's", *names, title=str(folder), caption=said)
    for result in results:
        figures = (f"{result['megabytes']:.1f}", f"{result['label_agreement']:.4%}")
        ious = ("–" if value is None else f"{value:.4f}" for value in result["agreement_iou"].values())
        table.add_row(result["file"], *figures, *ious)
    return table
