# SPDX-License-Identifier: Apache-2.0
"""`perception select` after `perception label`, and training data of what came back."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.images import write_images

from perception.cli import select
from perception.cli.main import main
from perception.datasets.registry import open_dataset
from perception.selection.export import FORMATS


def test_the_formats_are_those_that_can_be_written() -> None:
    assert select.FORMATS == FORMATS


def test_a_labelled_drive_is_chosen_from(
    kitti_drive: Path, tiny_model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A drive with a LiDAR and a folder of images; what goes out comes back with the sweeps."""
    images = write_images(tmp_path / "images", 3)
    labels, out, report = tmp_path / "labels", tmp_path / "out", tmp_path / "report.json"
    line = ["label", str(kitti_drive), str(images), "-o", str(labels), "--write", "masks", "confidence", "bag"]
    assert main([*line, "--cross-check", "1", "--model", str(tiny_model), "--threads", "1"]) == 0
    capsys.readouterr()
    line = ["select", str(labels), "-o", str(out), "-n", "4", "--apart", "0", "--json", str(report)]
    assert main([*line, "--format", "cvat", "coco", "label-studio"]) == 0
    printed = capsys.readouterr().out
    found = json.loads(report.read_text())
    assert (found["frames"], found["drives"], len(found["chosen"])) == (7, 2, 4)
    assert found["measured"]["sensors"] > 0
    assert all(f"{each['rank']:04d}_" in printed and each["reasons"] for each in found["chosen"])
    assert "cvat.zip, coco.json, label_studio_tasks.json, label_studio_config.xml, select.html" in printed
    with zipfile.ZipFile(out / "cvat.zip") as archive:
        archive.extract("annotations.xml", out)
    samples = open_dataset("cvat", out)
    by_name = {each["image"]: each for each in found["chosen"]}
    for sample in samples:
        chosen = by_name[sample.name]
        truth = cv2.imread(f"{chosen['labelled']}/labels/{chosen['frame']}.png", cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(sample.labels, truth)
    assert any("lidar" in sample.frame.modalities for sample in samples)


def test_mistakes_are_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["select", str(tmp_path), "-o", str(tmp_path / "out")]) == 2
    assert "no label.json in it or below: name a folder that `perception label` wrote" in capsys.readouterr().err
