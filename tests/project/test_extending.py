# SPDX-License-Identifier: Apache-2.0
"""The examples of docs/extending.md, run as a reader would."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/extending.md"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A working folder with the page's modules, whose first line is their file's name."""
    modules = re.findall(r"^```python\n(# (\w+\.py)\n.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    for text, name in modules:
        (tmp_path / name).write_text(text, "utf-8")
    parts = ("rig", "network", "fusion", "engine", "report")
    assert {name for _, name in modules} >= {f"my_{part}.py" for part in parts}
    return tmp_path


def run(command: list[str], folder: Path) -> str:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment, timeout=250)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def perception(line: str, folder: Path) -> str:
    return run([sys.executable, "-m", "perception", *line.split()], folder)


def write_images(folder: Path) -> None:
    folder.mkdir(parents=True)
    for number in range(5):
        image = np.random.default_rng(number).integers(0, 256, (64, 96, 3), np.uint8)
        cv2.imwrite(str(folder / f"{number}.png"), image)


def test_a_data_set_an_engine_and_a_report(folder: Path) -> None:
    write_images(folder / "data/images")
    (folder / "half.row").write_text("0.75")
    extensions = "--import my_rig --import my_engine --import=my_report"
    perception(f"{extensions} eval my-rig data --engine horizon --model half.row --json scores.csv", folder)
    scores = dict(line.split(",") for line in (folder / "scores.csv").read_text().splitlines())
    assert scores["frames"] == "1"
    assert scores["iou.road"] == "1.0"


def test_workers_know_the_engine(folder: Path) -> None:
    write_images(folder / "images")
    for number in range(5, 20):
        (folder / f"images/{number}.png").symlink_to(folder / "images/0.png")
    (folder / "half.row").write_text("0.5")
    line = "label images -o out --write masks --import my_engine --engine horizon --model half.row --workers 2"
    perception(f"{line} --cross-check 0 --json report.json", folder)
    report = json.loads((folder / "report.json").read_text())
    assert (report["labelled"], report["engine"], report["share"]["road"]) == (20, "horizon 1", 0.5)


def test_a_network_with_a_fusion(folder: Path) -> None:
    pytest.importorskip("mmseg")
    page = PAGE.read_text("utf-8")
    for text in re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL):
        run(["bash", "-e", "-c", text], folder)
    code = """
from perception.registry import import_modules
import_modules(["my_network", "my_fusion"])
import torch
from mmseg.registry import MODELS
from perception.models.custom import read_config
from perception.models.networks import NETWORKS, find_network
assert list(NETWORKS)[-1] == "dual_branch_mean"
model = read_config(find_network("dual_branch_mean")).model
fusion = MODELS.build(dict(model.backbone.fusion, channels=2, aux_channels=2)).eval()
rgb = torch.ones(1, 2, 4, 4)
fused, shares = fusion(rgb, torch.ones(1, 2, 4, 4), torch.tensor([[1.0, 0.0]]), torch.zeros(1, 1))
print(type(fusion).__name__, bool((fused == rgb).all()), shares.tolist())
"""
    assert run([sys.executable, "-c", code], folder) == "MeanFusion True [[1.0, 0.0]]\n"


def test_a_module_that_is_not_there_is_one_line(folder: Path) -> None:
    command = [sys.executable, "-m", "perception", "--import", "my_rigg", "eval", "my-rig", "data"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("perception: module 'my_rigg', which --import")
    assert done.stderr.count("\n") == 1


def test_a_recipe_and_a_class(folder: Path) -> None:
    pytest.importorskip("mmseg")
    code = """
import shutil
from pathlib import Path
from perception.models.heads import classes_of_config
from perception.models.networks import find_network
from perception.training.recipe import read_recipe
from perception.training.train import read_network
recipe = read_recipe("mine.py")
shutil.copy(find_network("dual_branch_s"), ".")
classes = classes_of_config(read_network(Path("bicycles.py")), Path("bicycles.py"))
print(sorted(recipe.sources), recipe.init, list(classes.names))
"""
    expected = "['folder', 'simulated'] dual_branch_s ['background', 'road', 'vehicle', 'pedestrian', 'bicycle']\n"
    assert run([sys.executable, "-c", code], folder) == expected
