# SPDX-License-Identifier: Apache-2.0
"""`perception export-check`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from perception.cli.shared import add, named_root
from perception.errors import PerceptionError
from perception.storage import Source, local, source

if TYPE_CHECKING:
    from rich.table import Table

    from perception.export.inspection import ExportCheckReport, PortReport, RunReport

SUMMARY = "say what a network's file is, and whether the node can use it"

EXAMPLES = """\
perception export-check vehicle/dual_branch_s.onnx
perception export-check theirs/model.onnx --describe         begin the model.yaml of a network that was not made here
perception export-check theirs/model.onnx                    when it is filled in
perception export-check theirs/model.onnx --data camvid=~/data/camvid --json check.json

Shows inputs, outputs, normalisation, sensors and classes, runs the network once on a frame, compares ONNX Runtime with
OpenVINO, and times it. What cannot be used is an error that says why, with the exit code 2.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("file", type=source, metavar="FILE", help="the .onnx or .xml file")
    parser.add_argument(
        "--describe", action="store_true", help="begin a model.yaml beside the file with what it says of itself"
    )
    add(parser, "--data", ": run it on a frame of it (default: a simulated one)", action="append", default=[])
    add(parser, "--threads", " (every core)")
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Run the command."""
    from rich.console import Console

    from perception.engines.described import MODEL_YAML
    from perception.export.inspection import inspect, open_runner
    from perception.reporting.reports import write_report

    console = Console(highlight=False)
    if args.describe and isinstance(args.file, Source):
        raise PerceptionError(f"{args.file}: in an object store, whose folder stays as it is; fetch it first")
    file = local(args.file, f"{args.file.stem}.*", MODEL_YAML)
    if args.describe:
        from perception.export import template

        console.print(f"fill in what is null: {template.write(file, open_runner(file))}", soft_wrap=True)
        return 0
    with console.status(f"running {file.name}"):
        report = inspect(file, [named_root(item) for item in args.data], args.threads)
    console.print(_table(report))
    for remark in report.remarks:
        console.print(remark, soft_wrap=True)
    if args.json:
        write_report(args.json, "export-check", report)
    return 0


def _table(report: ExportCheckReport) -> Table:
    from rich.table import Table

    table = Table(title=report.file, title_justify="left", show_header=False)
    rows = {
        "size": f"{report.megabytes:.1f} MB",
        "described by": report.described_by,
        "inputs": "\n".join(map(_port, report.inputs)),
        "fed with": "\n".join(f"{name}: {each}" for name, each in report.normalisation.items()) or "as exported",
        "sensors": "\n".join(f"{name}: {', '.join(each) or 'image'}" for name, each in report.sensors.items()),
        "outputs": "\n".join(map(_port, report.outputs)),
        "classes": "\n".join(f"{name}: {', '.join(each) or '–'}" for name, each in report.classes.items()),
        "engine": report.engine,
        "one run": f"{report.milliseconds:.1f} ms",
        "compared with": report.other_engine or "–",
        **{f"on {run.frame}": _said(run) for run in report.runs},
    }
    for name, value in rows.items():
        table.add_row(name, value)
    return table


def _said(run: RunReport) -> str:
    said = [", ".join(f"{name} {share:.1%}" for name, share in run.labels.items() if share)]
    said += [] if run.things is None else [f"{run.things} things told apart"]
    said += [] if run.agreement is None else [f"{run.agreement:.3%} of the labels agree"]
    return "\n".join(said)


def _port(port: PortReport) -> str:
    shape = "any shape" if port.shape is None else "×".join("?" if each is None else f"{each}" for each in port.shape)
    return f"{port.name}: {shape} {port.dtype}"
