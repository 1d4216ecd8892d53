# SPDX-License-Identifier: Apache-2.0
"""`perception eval --suite robustness`: rows, tables, JSON, and that its first row is the plain evaluation."""

from __future__ import annotations

import json

import pytest

from perception.cli.main import main
from perception.evaluation.robustness.corruptions import CORRUPTIONS
from perception.simulation import SimulatedDrive
from perception.simulation.storage import write_drive


@pytest.fixture
def drive(tmp_path):
    """Three small frames of a simulated night, 50 ms apart."""
    return write_drive(SimulatedDrive(1, "night", 3, rate_hz=20, scale=0.1), tmp_path / "drive")


def test_a_drive_on_disk(drive, tmp_path, capsys):
    suite, plain = tmp_path / "suite.json", tmp_path / "plain.json"
    arguments = ["eval", "simulated", str(drive), "--limit", "1"]
    assert main([*arguments, "--suite", "robustness", "--json", str(suite)]) == 0
    printed = capsys.readouterr().out
    for word in ("EMM", "RMM", "jpeg_compression", "16 beams", "black", "every subset (EMM)", "15 corruptions"):
        assert word in printed
    assert main([*arguments, "--json", str(plain)]) == 0
    report = json.loads(suite.read_text())
    first = report["rows"][0]
    assert (first["group"], first["kept"]) == ("EMM", ["rgb", "depth", "infrared", "lidar"])
    expected = json.loads(plain.read_text())
    assert (first["iou"], first["mean_iou"]) == (expected["iou"], expected["mean_iou"])
    assert report["summary"]["all_sensors"] == expected["mean_iou"]
    assert set(report["summary"]["corruptions"]["by_corruption"]) == set(CORRUPTIONS)
    assert {row["group"] for row in report["rows"]} == {"EMM", "RMM", "NM", "corruption", "camera", "lidar"}
    assert (report["suite"], len(report["weights_sha256"])) == ("robustness", 64)


def test_the_kept_sensors_are_all_there_is(drive, tmp_path, capsys):
    path = tmp_path / "suite.json"
    arguments = ["--limit", "2", "--modalities", "depth,lidar", "--suite", "robustness", "--json", str(path)]
    assert main(["eval", "simulated", str(drive), *arguments]) == 0
    rows = {row["name"]: row for row in json.loads(path.read_text())["rows"]}
    assert "rgb" not in str(rows.keys())
    assert rows["depth + lidar"]["frames"] == 2
    assert rows["late by 50 ms"]["frames"] == 1  # the first frame has none before it
    assert rows["late by 200 ms"]["frames"] == 0


def test_an_unknown_suite_is_one_line(capsys):
    with pytest.raises(SystemExit):
        main(["eval", "simulated", "--suite", "weather"])
    assert "invalid choice: 'weather'" in capsys.readouterr().err
