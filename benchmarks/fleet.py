# SPDX-License-Identifier: Apache-2.0
"""Measures what labelling a fleet costs and how it grows, and writes the tables into a document.

    python benchmarks/fleet.py DRIVE docs/scale.md [--frames 100] [--drives 1000]

DRIVE is a recording of at least so many frames, such as a KITTI drive: it is written as a bag, of which all other
drives are copies (hard links, so they take no room). Three things are measured, each by `perception label` in a process
of its own, with the shipped weights and one thread: the cost of a drive of `--frames`; how many frames a second one and
two machines label, which are nodes of a Ray cluster on this machine, with a core each; and what `--drives` drives of
two frames take, first and once more. Wants two idle cores, and 10 to 60 minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tables import SCALE, fill

from perception.bags.writer import write_bag
from perception.benchmark.tables import Table
from perception.recordings.opening import open_recording
from perception.reporting.provenance import processor

HZ = 10.0
"""The rate of the vehicle's sensors in the costs per hour of drive."""

COPIES = 4
"""Drives for each machine where growth is measured."""

SPARSE = 2
"""Frames of a sparse drive."""


@dataclass(frozen=True)
class Run:
    """One run of the command: seconds on the clock and of the processor, the process's most memory, its report."""

    seconds: float
    cpu_s: float
    peak_mb: float
    report: dict[str, Any]


def label(inputs: Sequence[object], output: Path, *options: str) -> Run:
    """Label with one thread a network, without the cross-check; masks alone are written.

    Raises RuntimeError if anything was not labelled.
    """
    report = output.with_name(f"{output.name}.json")
    words = ["label", *map(str, inputs), "-o", str(output), "--write", "masks", "--threads", "1", "--cross-check", "0"]
    words += options
    began = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "perception", *words, "--json", str(report)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"perception {' '.join(words[:3])} …: exit status {process.returncode}")
    seconds = time.perf_counter() - began
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, json.loads(report.read_text("utf-8")))


def copies(bag: Path, folder: Path, count: int) -> Path:
    """A file that lists so many copies of the bag."""
    folder.mkdir()
    for number in range(count):
        drive = folder / f"{number:06d}"
        drive.mkdir()
        for file in bag.iterdir():
            os.link(file, drive / file.name)
    listing = folder.with_suffix(".txt")
    listing.write_text("".join(f"{drive}\n" for drive in sorted(folder.iterdir())), "utf-8")
    return listing


@contextmanager
def machines(count: int) -> Iterator[str]:
    """The address of a cluster of so many machines with a core each, all on this one, and a head without any."""
    from ray.cluster_utils import Cluster

    store = 80 * 1024 * 1024
    head = {"num_cpus": 0, "object_store_memory": store, "_system_config": {"worker_niceness": 0}}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        for _ in range(count):
            cluster.add_node(num_cpus=1, object_store_memory=store)
        yield cluster.address
    finally:
        cluster.shutdown()


def cost(bag: Path, short: Path, work: Path) -> Table:
    """Of one drive, and per hour of drive; what a process takes before its first frame is told by the short drive."""
    start, whole = label([short], work / "cost_start"), label([bag], work / "cost")
    frames = whole.report["frames"]
    frame_s = (whole.cpu_s - start.cpu_s) / (frames - SPARSE)
    masks_mb, bag_mb = (_size_mb(folder) / frames for folder in (work / "cost", bag))
    hour = 3600 * HZ
    return Table(
        "cost",
        ["", f"{processor()}"],
        [
            ("processor time of a frame, one thread", f"{1e3 * frame_s:.0f} ms"),
            (f"of a process and {SPARSE} frames", f"{start.cpu_s:.1f} s"),
            (f"core-hours of an hour of drive at {HZ:g} Hz", f"{frame_s * hour / 3600:.2f}"),
            ("most memory of the process", f"{whole.peak_mb:.0f} MB"),
            ("masks and records of an hour of drive", f"{masks_mb * hour / 1e3:.2f} GB"),
            ("the bag of an hour of drive", f"{bag_mb * hour / 1e3:.0f} GB"),
        ],
    )


def growth(bag: Path, work: Path) -> Table:
    """Frames a second of one and of two machines, the start of their workers included."""
    rows, rates = [], dict[int, float]()
    for count in (1, 2):
        listing = copies(bag, work / f"growth{count}", COPIES * count)
        with machines(count) as address:
            run = label([f"@{listing}"], work / f"growth{count}_out", "--ray", address)
        frames = run.report["frames"]
        rates[count] = frames / run.seconds
        ran_on = len({each["ran_on"] for each in run.report["inputs"]})
        row = (str(count), str(ran_on), str(frames), f"{run.seconds:.0f}", f"{rates[count]:.2f}")
        rows.append((*row, f"{rates[count] / rates[1]:.2f}"))
        print("growth", rows[-1], flush=True)
    return Table("growth", ["machines", "workers", "frames", "s", "frames a second", "of one"], rows)


def sparse(short: Path, work: Path, drives: int) -> Table:
    """Many drives of few frames: first, and again when all are there."""
    listing = copies(short, work / "sparse", drives)
    rows = []
    with machines(2) as address:
        for name in ("first", "once more"):
            run = label([f"@{listing}"], work / "sparse_out", "--ray", address)
            kept = sum(each["kept"] for each in run.report["inputs"])
            row = (name, str(drives), str(run.report["labelled"]), str(kept), f"{run.seconds:.0f}")
            rows.append((*row, f"{1e3 * run.seconds / drives:.0f}", f"{run.peak_mb:.0f}"))
            print("sparse", rows[-1], flush=True)
    header = ["run", "drives", "frames labelled", "frames kept", "s", "ms a drive", "memory of the command, MB"]
    return Table("sparse drives", header, rows)


def _size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("drive", type=Path)
    parser.add_argument("document", type=Path)
    parser.add_argument("--frames", type=int, default=100)
    parser.add_argument("--drives", type=int, default=1000)
    args = parser.parse_args()
    frames = open_recording(args.drive)
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        for name, count in (("drive", args.frames), ("short", SPARSE)):
            write_bag((frames[number] for number in range(count)), work / name)
        made = {"fleet_cost": cost(work / "drive", work / "short", work)}
        print(made["fleet_cost"].markdown(), flush=True)
        made["fleet_growth"] = growth(work / "drive", work)
        made["fleet_sparse"] = sparse(work / "short", work, args.drives)
    args.document.write_text(fill(args.document.read_text("utf-8"), made, SCALE), "utf-8")


if __name__ == "__main__":
    main()
