# SPDX-License-Identifier: Apache-2.0
"""Times `perception train` in one and in several processes of this machine, and writes the tables of docs/scale.md.

    python benchmarks/scaling.py docs/scale.md [--processes 1 2] [--steps 20] [--batch-size 4] [--crop 320 768]

Each run trains the shipped network on noise, from random weights, with all cores of the machine divided among its
processes. A step's time is the median from one step of the optimiser to the next, without the first few. Run it while
the machine does nothing else. The second table follows from the networks alone.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS
from tables import SCALE, fill

import perception.models  # noqa: F401 (registers networks)
from perception.benchmark.tables import Table
from perception.paths import config_path

LINKS = {"10 GbE": 1.25, "100 GbE": 12.5, "PCIe 4.0 ×16": 31.5, "NVLink 4": 450.0}
"""GB/s in one direction, as their standards and makers state them."""

NETWORKS = ("dual_branch_s", "dual_branch_m")

GPUS = 8

FIRST = 3
"""Steps that are slower than others: memory is taken, kernels are chosen."""

STAMPING = """
import os, time
from torch.optim.optimizer import register_optimizer_step_post_hook
if os.environ.get("RANK") == "0":
    file = open(os.environ["STAMPS"], "w")
    register_optimizer_step_post_hook(lambda *_: print(time.perf_counter(), file=file, flush=True))
"""
"""A module for --import: the first process notes when each step ends."""


def main() -> None:
    """Measure, and write both tables into the document."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("document", type=Path)
    parser.add_argument("--processes", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--crop", type=int, nargs=2, default=[320, 768])
    args = parser.parse_args()
    made = {
        "scaling": measured(args.processes, args.steps, args.batch_size, tuple(args.crop)),
        "gradients": reasoned(),
    }
    args.document.write_text(fill(args.document.read_text("utf-8"), made, SCALE), "utf-8")


def measured(processes: Sequence[int], steps: int, batch_size: int, crop: tuple[int, int]) -> Table:
    """Seconds a step and crops a second for each number of processes."""
    cores = len(os.sched_getaffinity(0))
    rows: list[list[str]] = []
    first: float | None = None
    with tempfile.TemporaryDirectory() as folder:
        arguments = _arguments(Path(folder), crop, batch_size)
        for number in processes:
            step = _seconds(arguments, Path(folder), number, steps)
            first = first or step
            threads = max(1, cores // number)
            speed = f"{batch_size / step:.2f}"
            rows.append([str(number), str(threads), f"{step:.3f}", speed, f"{first / step:.2f}"])
    head = ["processes", "threads each", "seconds a step", "crops a second", "of one process"]
    return Table("Training in several processes", head, rows)


def reasoned() -> Table:
    """What a step of each network sends over GPUS GPUs, and how long the ring takes on each link."""
    init_default_scope("mmseg")
    rows = []
    for name in NETWORKS:
        model = MODELS.build(Config.fromfile(config_path(f"networks/{name}.py")).model)
        size = 4 * sum(parameter.numel() for parameter in model.parameters())
        sent = 2 * (GPUS - 1) / GPUS * size
        times = [f"{1e3 * sent / (speed * 1e9):.2f} ms" for speed in LINKS.values()]
        rows.append([name, f"{size / 4e6:.2f} M", f"{size / 1e6:.1f} MB", f"{sent / 1e6:.1f} MB", *times])
    return Table("Gradients", ["network", "parameters", "gradients", f"sent by each of {GPUS}", *LINKS], rows)


def _arguments(folder: Path, crop: tuple[int, int], batch_size: int) -> list[str]:
    """Of `perception train`, for noise in CamVid's layout."""
    rng = np.random.default_rng(0)
    for number in range(4):
        for name, image in (
            ("train", rng.integers(0, 256, (360, 480, 3), np.uint8)),
            ("trainannot", rng.integers(0, 11, (360, 480), np.uint8)),
        ):
            path = folder / "camvid" / name / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), image)
    recipe = folder / "recipe.py"
    recipe.write_text(
        "from dataclasses import replace\nfrom perception.training.recipe import read_recipe\n"
        f"recipe = replace(read_recipe('scratch'), crop={crop!r}, batch_size={batch_size})\n"
    )
    return ["dual_branch_s", "--recipe", str(recipe), "--data", f"camvid={folder / 'camvid'}", "--workers", "0"]


def _seconds(arguments: list[str], folder: Path, processes: int, steps: int) -> float:
    """Of a step, in a run with so many processes; --nproc is there for one process too."""
    (folder / "stamping.py").write_text(STAMPING)
    stamps = folder / f"stamps-{processes}"
    environment = {**os.environ, "STAMPS": str(stamps), "PYTHONPATH": os.pathsep.join([*sys.path, str(folder)])}
    command = [sys.executable, "-m", "perception", "train", *arguments, "-o", str(folder / f"run-{processes}")]
    # It saves at its end only.
    more = ["--iterations", str(FIRST + steps), "--save-interval", "100000", "--nproc", str(processes)]
    subprocess.run([*command, *more, "--import", "stamping"], env=environment, check=True, stdout=subprocess.DEVNULL)
    return float(np.median(np.diff([float(line) for line in stamps.read_text().splitlines()][FIRST - 1 :])))


if __name__ == "__main__":
    main()
