# SPDX-License-Identifier: Apache-2.0
"""Every accuracy figure of the project, by one command."""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import warnings
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from accuracy_sets import FOLDERS, Part, parts
from accuracy_tables import NAMES, tables
from rich.console import Console
from tables import fill

from perception.benchmark.machine import describe_machine, input_hash
from perception.engines import DEFAULT_MODEL
from perception.errors import DataError, ModelError, PerceptionError
from perception.pipeline import Pipeline
from perception.reporting.progress import Steps
from perception.reporting.reports import plain
from perception.sample import Sample

CHECKOUT = Path(__file__).resolve().parent.parent

EPILOG = """\
DATA holds camvid, idd_lite, kitti_frustum and kitti_object; what is missing is left out and said to be. Simulated sets
are rendered. REPORT is written after every part: started again with the same weights, code and settings, the script
goes on where it was stopped, and with nothing left to do it only writes the document's tables.

  python benchmarks/accuracy.py DATA out/accuracy.json docs/accuracy.md perception/weights/README.md
  cp docs/accuracy.md out/new.md
  python benchmarks/accuracy.py DATA out/new.json out/new.md --model work_dirs/new/weights.safetensors
  python benchmarks/accuracy.py DATA out/quick.json out/new.md --quick
"""


class Samples:
    """The samples of the part at hand; the next part takes those that it shares."""

    def __init__(self, steps: Steps) -> None:
        self._steps = steps
        self._source: Sequence[Sample] | None = None
        self._found: dict[int, Sample] = {}

    def of(self, part: Part) -> dict[int, Sample]:
        """By index, read or rendered once."""
        if part.samples is not self._source:
            self._source, self._found = part.samples, {}
        missing = [index for index in part.chosen if index not in self._found]
        if missing:
            with self._steps.step(f"{part.name}, frames", f"{part.name}, frames", len(missing)) as done:
                for index in missing:
                    self._found[index] = part.samples[index]
                    done()
        return {index: self._found[index] for index in part.chosen}


def evaluate_parts(
    pipeline: Pipeline, todo: Sequence[Part], report: dict[str, Any], path: Path, console: Console
) -> None:
    """Score each part that `report` does not hold under the same settings, and write the report after each."""
    before = report["parts"]
    steps = Steps(console)
    samples = Samples(steps)
    weights = {"weights_sha256": pipeline.weights_sha256, "engine": pipeline.engine.name}
    settings = {part.name: {**weights, **part.settings, "indices": part.chosen} for part in todo}
    found = {name: before[name] for name in settings if before.get(name, {}).get("settings") == settings[name]}
    report["parts"] = found
    for part in todo:
        if part.name in found:
            console.print(f"{part.name}: kept from {found[part.name]['finished']}")
            continue
        held = samples.of(part)
        with steps.step(part.name, part.name, part.runs * len(held)) as done:
            figures = part.score(pipeline, held, done)
        found[part.name] = {
            "settings": settings[part.name],
            "commit": report["commit"],
            "finished": datetime.now(timezone.utc).isoformat(timespec="seconds"),
            "seconds": steps.seconds[part.name],
            "frames": len(held),
            "input_sha256": input_hash(sample.frame for sample in held.values()),
            **figures,
        }
        report["parts"] = {name: found[name] for name in settings if name in found}  # in their order
        write(report, path)


def describe(pipeline: Pipeline, args: argparse.Namespace) -> dict[str, Any]:
    """What the figures hold for."""
    return {
        "command": shlex.join(["python", *sys.orig_argv[1:]]),
        "commit": commit(),
        "quick": args.quick,
        "model": pipeline.name,
        "weights_sha256": pipeline.weights_sha256,
        "parameters": parameters(pipeline.model),
        "engine": pipeline.engine.name,
        "machine": plain(describe_machine()),
        "left_out": [name for name, folder in FOLDERS.items() if not (args.data / folder).is_dir()],
    }


def commit() -> str | None:
    """The checkout's, with "-dirty" where files differ from it; None outside a repository."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        found = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return found.stdout.strip()


def parameters(model: Path) -> int | None:
    """How many the network has; None without its .safetensors or without PyTorch."""
    try:
        from perception.engines.weights import build_model

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # mmcv's, of operators that no network of ours has
            network = build_model(model.with_suffix(".safetensors"))
        return sum(values.numel() for values in network.parameters())
    except (ImportError, ModelError):
        return None


def write(report: dict[str, Any], path: Path) -> None:
    """At once, so that no stop leaves half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(report, indent=1, ensure_ascii=False) + "\n", "utf-8")
    part.replace(path)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("data", type=Path, metavar="DATA", help="the folder of the data sets' folders")
    made.add_argument("report", type=Path, metavar="REPORT", help="JSON file for every figure; goes on from it")
    made.add_argument(
        "documents", type=Path, nargs="+", metavar="DOCUMENT", help="Markdown whose marked tables are filled"
    )
    made.add_argument("--model", default=DEFAULT_MODEL, help="a shipped model's name or a path (%(default)s)")
    made.add_argument("--quick", action="store_true", help="a few frames of all: to try the script, not to quote")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Evaluate, write the report and fill the document."""
    args = parser().parse_args(argv)
    if not args.data.is_dir():
        raise DataError(f"{args.data}: no such folder of data sets")
    for document in args.documents:
        document.read_text("utf-8")  # what is missing shall not be found out at the end
    before = json.loads(args.report.read_text("utf-8")) if args.report.is_file() else {"quick": args.quick, "parts": {}}
    if before["quick"] != args.quick:
        raise PerceptionError(f"{args.report} holds a run {'without' if args.quick else 'with'} --quick: name another")
    console = Console(stderr=True, highlight=False)
    pipeline = Pipeline.load(args.model)
    report = {**describe(pipeline, args), "parts": before["parts"]}
    for name in report["left_out"]:
        console.print(f"{name}: left out, {args.data / FOLDERS[name]} does not exist")
    evaluate_parts(pipeline, parts(args.data, args.quick), report, args.report, console)
    write(report, args.report)
    made = tables(report)
    for document in args.documents:
        document.write_text(fill(document.read_text("utf-8"), made, NAMES), "utf-8")
    print(made["targets"].markdown())
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (PerceptionError, OSError) as error:
        sys.exit(f"accuracy.py: {error}")
    except KeyboardInterrupt:
        sys.exit("stopped: the same command goes on from here")
