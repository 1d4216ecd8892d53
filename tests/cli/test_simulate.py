# SPDX-License-Identifier: Apache-2.0
import json
from pathlib import Path

import pytest

from perception.cli.main import main
from perception.cli.shared import CONDITIONS as OFFERED
from perception.cli.simulate import _DEPTHS, _RIGS
from perception.datasets.simulated import SimulatedFolder
from perception.simulation.optics.weather import CONDITIONS
from perception.simulation.sensors.depth import DEPTHS
from perception.simulation.sensors.rig import RIGS


def test_several_drives_are_written_and_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = "--drives 2 --condition all --frames 1 --scale 0.05 --workers 1 --seed 4"
    files = ["-o", str(tmp_path / "out"), "--json", str(tmp_path / "table.json")]
    assert main(["simulate", *files, *options.split()]) == 0
    assert [sample.name for sample in SimulatedFolder(tmp_path / "out")] == ["day-0004/000000", "dusk-0005/000000"]
    assert [row["condition"] for row in json.loads((tmp_path / "table.json").read_text())["drives"]] == ["day", "dusk"]
    assert "dusk" in capsys.readouterr().out


def test_a_mistake_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["simulate", "-o", str(tmp_path), "--scale", "5"]) == 2
    error = capsys.readouterr().err
    assert "scale 5" in error
    assert "Traceback" not in error


def test_what_is_offered_is_what_the_simulator_has() -> None:
    assert (OFFERED, _RIGS, _DEPTHS) == (CONDITIONS, RIGS, DEPTHS)


def test_a_rig_and_a_depth_camera_are_written_down(tmp_path: Path) -> None:
    options = "--rig robot --depth-camera tof --frames 1 --scale 0.05 --workers 1"
    assert main(["simulate", "-o", str(tmp_path), *options.split()]) == 0
    description = json.loads((tmp_path / "drive.json").read_text())
    assert description["rig"] == {
        "name": "robot",
        "camera_height_m": 0.6,
        "pitch_deg": -2.0,
        "roll_deg": 0.0,
        "baseline_m": 0.12,
    }
    assert description["depth"] == "tof"
