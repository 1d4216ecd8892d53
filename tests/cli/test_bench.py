# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("rclpy")

from perception.cli.main import main
from perception.ros.bench import steps as bench_steps


def test_stages_without_peers_and_drives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bench_steps, "FRAMES", 1)
    arguments = ["--no-peers", "--no-dds", "--rounds", "2", "--precision", "f32", "--threads", "1"]
    arguments += ["--model", "dual_branch_s@0.5"]
    assert main(["bench", "-o", str(tmp_path / "out"), "--json", str(tmp_path / "b.json"), *arguments]) == 0
    report = json.loads((tmp_path / "out/bench.json").read_text())
    assert report == json.loads((tmp_path / "b.json").read_text())
    assert report["schema"] == "perception/bench-report/1"
    assert report["ratio_to_pidnet_s"] is None
    assert report["peers"] == {}
    assert report["model"] == "dual_branch_s.xml@0.5"
    assert report["overhead_ratio"] > 0
    assert set(report["stages_ms"]) == {
        "receive", "convert", "project", "normalise", "infer", "decode", "build", "publish",
    }  # fmt: skip
    assert report["precision"] == "f32"
    assert report["threads"] == 1
    assert report["input"]["points"] == 120_000
    assert report["input"]["network"] == [1248, 384]
    assert len(report["input"]["sha256"]) == 64
    assert report["machine"]["versions"]["openvino"]
    shown = capsys.readouterr().out
    assert "outside the network" in shown
    page = (tmp_path / "out/report.html").read_text("utf-8")
    assert report["weights_sha256"] in page
    assert page.count("data:image/jpeg;base64,") == 1


def test_networks_are_compared_by_one_look(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "-o", str(tmp_path), "--model", "dual_branch_s@1x2"]) == 2
    assert "leave out the x2" in capsys.readouterr().err


def test_a_config_that_is_missing_gets_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The tutorial on your own network times an existing one."""
    assert main(["bench", "-o", str(tmp_path), "--model", "nonesuch.py"]) == 2
    assert "nonesuch.py: no such config" in capsys.readouterr().err


def test_a_model_for_another_engine_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "-o", str(tmp_path), "--model", "nonesuch"]) == 2
    assert "nonesuch.xml" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--rounds", "--threads"])
def test_numbers_must_be_positive(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["bench", option, "0"])
    assert "at least 1" in capsys.readouterr().err
