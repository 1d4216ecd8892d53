# SPDX-License-Identifier: Apache-2.0
"""`perception export-check`, from a file of unknown origin to one that the node can use."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from helpers.datasets.people import write_people
from helpers.models.foreign import copying

from perception.cli.main import main

pytest.importorskip("onnxruntime")


def test_from_a_file_to_a_description_that_works(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    onnx = copying(tmp_path / "theirs.onnx", (1, 3, 64, 96))
    check = ["export-check", str(onnx), "--data", f"penn-fudan={write_people(tmp_path / 'people')}", "--threads", "1"]
    assert main(check) == 2
    assert "theirs.onnx: its inputs are image; another's needs a model.yaml" in capsys.readouterr().err
    assert main(["export-check", str(onnx), "--describe"]) == 0
    assert "fill in what is null" in capsys.readouterr().out
    assert main(check) == 2
    assert "model.yaml: inputs.image: Input.scale: expected a number, got None" in capsys.readouterr().err
    text = (tmp_path / "model.yaml").read_text("utf-8")
    for empty, filled in (("scale", "1/255"), ("mean", "[0, 0, 0]"), ("std", "[1, 1, 1]")):
        text = text.replace(f"{empty}: null", f"{empty}: {filled}")
    (tmp_path / "model.yaml").write_text(text.replace("names: null", "names: [road, car, tree]"), "utf-8")
    assert main([*check, "--json", str(tmp_path / "check.json")]) == 0
    shown = capsys.readouterr().out
    assert "1×3×64×96 float32" in shown
    assert "it never says pedestrian" in shown
    report = json.loads((tmp_path / "check.json").read_text())
    assert report["schema"] == "perception/export-check-report/1"
    assert report["classes"]["background"] == ["tree"]
    assert report["runs"][0]["agreement"] > 0.98
