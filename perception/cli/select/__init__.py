# SPDX-License-Identifier: Apache-2.0
"""`perception select`."""

from __future__ import annotations

import argparse

from perception.cli.shared import add, at_least_one, not_negative
from perception.storage import local, source

SUMMARY = "choose the frames to label by hand, for CVAT, Label Studio and COCO's tools"

EXAMPLES = """\
perception label drives/* -o out/fleet --write masks confidence --cross-check 5
perception select out/fleet -o out/select -n 100
perception select out/fleet -o out/select -n 100 --format cvat coco label-studio
perception train dual_branch_s --recipe finetune --data cvat=out/select -o work_dirs/second    # when it is corrected

Frames are chosen where a sensor contradicts the others, the sweep contradicts the image, the network is unsure, a class
is rare, or masks flicker, and so that they look unlike each other. DIR gets select.json, the list with the reasons,
select.html with pictures, image/ and the other sensors' data, and what the tools open: cvat.zip, coco.json,
label_studio_tasks.json with label_studio_config.xml. The masks in them are the network's, to be corrected.
"""

FORMATS = ("cvat", "coco", "label-studio")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `perception select`."""
    parser.add_argument(
        "labelled", nargs="+", type=source, metavar="LABELLED", help="folder that `perception label` wrote, or of such"
    )
    add(parser, "--output", ", new or empty", required=True)
    add(parser, "--frames", " to choose (50)", default=50)
    add(parser, "--format", f": {', '.join(FORMATS)} (cvat)", nargs="+", choices=FORMATS, default=["cvat"])
    parser.add_argument(
        "--per-drive", type=at_least_one, metavar="N", help="at most N of a recording (default: twice its share)"
    )
    parser.add_argument(
        "--apart", type=not_negative, default=1.0, metavar="S", help="at least S seconds between two of a recording (1)"
    )
    add(parser, "--calibration")
    add(parser, "--workers", " of measuring (1)", default=1)
    add(parser, "--json")


def run(args: argparse.Namespace) -> int:
    """Choose, write, and print the list."""
    from rich.console import Console
    from rich.table import Table

    from perception.reporting.reports import write_report
    from perception.selection.job import SelectOptions, run_select

    options = SelectOptions(
        labelled=[local(folder) for folder in args.labelled],
        output=args.output,
        count=args.frames,
        per_drive=args.per_drive,
        apart_s=args.apart,
        formats=tuple(dict.fromkeys(args.format)),
        calibration=args.calibration,
        workers=args.workers,
    )
    report = run_select(options, Console(stderr=True))
    table = Table(title=f"{len(report.chosen)} of {report.frames} frames", title_justify="left")
    for name in ("image", "score", "why"):
        table.add_column(name, overflow="fold")
    for each in report.chosen:
        table.add_row(each.image, f"{each.score:.1f}", "\n".join(each.reasons))
    console = Console(highlight=False)
    console.print(table)
    for line in report.notes:
        console.print(line, soft_wrap=True)
    console.print(f"{', '.join((*report.files, 'select.html'))}: {args.output}", soft_wrap=True)
    if args.json:
        write_report(args.json, "select", report)
    return 0
