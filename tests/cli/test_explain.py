# SPDX-License-Identifier: Apache-2.0
"""`perception explain`: the figure, the JSON, every kind of frame, and one line for each mistake."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

pytest.importorskip("torch")
pytest.importorskip("mmseg")


from perception.cli.explain import asked
from perception.cli.main import main, make_parser
from perception.explanation.asked import open_frame
from perception.sample import Sample


def opened(*arguments: str | Path) -> Sample:
    return open_frame(asked(make_parser("explain").parse_args([str(argument) for argument in arguments])))[0]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "street.png"
    cv2.imwrite(str(path), np.random.default_rng(0).integers(0, 256, (38, 124, 3), np.uint8))
    return path


def test_it_writes_the_figure_and_the_json(
    kitti_drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figure, report = tmp_path / "out" / "why.png", tmp_path / "out" / "why.json"
    assert main(["explain", f"{kitti_drive}:1", "-o", str(figure), "--json", str(report)]) == 0
    printed = capsys.readouterr().out
    for word in ("confidence", "stride 32", "without", "lidar", "agree on", str(figure)):
        assert word in printed
    assert Image.open(figure).width == 1600
    found = json.loads(report.read_text())
    assert found["frame"] == "2011_09_26_drive_0001_sync/0000000001"
    assert found["sensors"] == ["rgb", "lidar"]
    assert found["agreement"] > 0.95
    assert set(found["without"]) == {"rgb", "lidar"}
    assert len(found["weights_sha256"]) == 64


def test_without_torch_it_shows_what_needs_none(
    tiny_model: Path, image: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    figure, report = tmp_path / "why.png", tmp_path / "why.json"
    arguments = ["--infrared", str(image), "--model", str(tiny_model), "-o", str(figure), "--json", str(report)]
    assert main(["explain", str(image), *arguments]) == 0
    shown = capsys.readouterr().out
    assert "pip install 'multimodal_perception[train]'" in shown
    assert "50%" in shown  # the tiny network counts both sensors alike
    found = json.loads(report.read_text())
    assert set(found["without"]) == {"rgb", "infrared"}
    assert (found["attention"], found["agreement"]) == (None, None)
    assert figure.is_file()
