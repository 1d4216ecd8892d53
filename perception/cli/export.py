# SPDX-License-Identifier: Apache-2.0
"""`perception export`."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from perception.errors import PerceptionError
from perception.sensors import NetworkInput, encode, network_size

SUMMARY = "turn trained weights into an OpenVINO engine file and check that it agrees"

EXAMPLES = """\
perception export work_dirs/first/weights.safetensors
perception export work_dirs/first/weights.safetensors -o vehicle/model.xml --frames 8

Writes the .xml and .bin that `--engine openvino` runs, then compares labels with PyTorch on simulated frames;
below 99.9 % agreement the export fails.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("weights", type=Path, help="the .safetensors that `perception train` wrote")
    parser.add_argument("-o", "--output", type=Path, metavar="XML", help="where to write (default: beside the weights)")
    parser.add_argument("--frames", type=int, default=4, help="simulated frames for the check (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the result as JSON too")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    import json

    from rich.console import Console

    try:
        from perception.engines.export import check_parity, export_openvino
    except ImportError as error:
        raise PerceptionError(
            f"export needs torch and mmseg: pip install 'multimodal_perception[train]' ({error})"
        ) from error

    if args.frames < 1:
        raise PerceptionError(f"--frames {args.frames}: the check needs at least one frame")
    console = Console()
    with console.status("exporting"):
        exported = export_openvino(args.weights, args.output or args.weights)
    with console.status(f"comparing on {args.frames} simulated frames"):
        agreement = check_parity(args.weights, exported, _frames(args.frames))
    megabytes = exported.with_suffix(".bin").stat().st_size / 1e6
    console.print(f"{exported}: {megabytes:.1f} MB, labels agree with PyTorch on {agreement:.4%} of pixels")
    if args.json:
        args.json.write_text(
            json.dumps(dict(file=str(exported), megabytes=megabytes, label_agreement=agreement)) + "\n"
        )
    return 0


def _frames(count: int) -> Iterator[NetworkInput]:
    from perception.simulation import SimulatedDrive

    for sample in SimulatedDrive(seed=0, frames=count, rate_hz=1.0):
        yield encode(sample.frame, *network_size(*sample.frame.size))
