# SPDX-License-Identifier: Apache-2.0
"""`perception export`, from an untrained network to checked files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("mmseg")

from perception import Pipeline
from perception.cli.main import main
from perception.engines.weights import load_weights, save_weights
from perception.paths import WEIGHTS


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network with random output."""
    from mmengine.config import Config
    from mmengine.registry import init_default_scope
    from mmseg.registry import MODELS

    import perception.models  # noqa: F401 (registers the parts)
    from perception.paths import config_path

    init_default_scope("mmseg")
    config = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    path = tmp_path_factory.mktemp("weights") / "untrained.safetensors"
    save_weights(path, MODELS.build(config).state_dict(), config)
    return path


@pytest.fixture(scope="module")
def decided(untrained: Path) -> Path:
    """A network that sees road everywhere, in every precision."""
    state, config = load_weights(untrained)
    bias = state["decode_head.conv_seg.bias"]
    bias[len(bias) // 4 : len(bias) // 2] += 1000
    path = untrained.with_name("decided-0.5.safetensors")
    save_weights(path, state, config)
    return path


def test_it_writes_what_is_asked_for_and_says_how_well_it_agrees(
    decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime")
    arguments = ["--format", "openvino", "onnx", "--frames", "1", "-o", str(tmp_path / "out")]
    assert main(["export", str(decided), *arguments, "--json", str(tmp_path / "export.json")]) == 0
    assert "100.0000%" in capsys.readouterr().out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        f"decided-0.5{end}" for end in (".xml", ".bin", ".onnx", ".check.npz")
    } | {"SHA256SUMS"}
    report = json.loads((tmp_path / "export.json").read_text())
    assert report["schema"] == "perception/export-report/1"
    assert [entry["file"] for entry in report["files"]] == ["decided-0.5.xml", "decided-0.5.onnx"]
    assert all(entry["label_agreement"] == 1 and entry["agreement_iou"]["road"] == 1 for entry in report["files"])


def test_a_file_name_may_be_given(decided: Path, tmp_path: Path) -> None:
    assert main(["export", str(decided), "--frames", "1", "-o", str(tmp_path / "vehicle" / "model.xml")]) == 0
    assert {path.name for path in (tmp_path / "vehicle").iterdir()} == {
        "model.xml",
        "model.bin",
        "model.check.npz",
        "SHA256SUMS",
    }
    assert Pipeline.load(tmp_path / "vehicle" / "model.xml").self_check() == 1.0


def test_int8_that_disagrees_is_an_error_and_leaves_nothing(
    untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("nncf")
    arguments = ["--int8", "--frames", "1", "--calibration-frames", "2", "-o", str(tmp_path / "out")]
    assert main(["export", str(untrained), *arguments]) == 2
    assert "is needed" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_shipped_weights_are_not_exported_beside_themselves(capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in WEIGHTS.iterdir())
    assert main(["export", "dual_branch_s"]) == 2
    assert "dual_branch_s: shipped weights, whose folder stays as it is; say -o FOLDER" in capsys.readouterr().err
    assert sorted(path.name for path in WEIGHTS.iterdir()) == before


def test_a_class_that_neither_has_is_no_number(
    decided: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "export.json"
    assert main(["export", str(decided), "--frames", "1", "-o", str(tmp_path / "out"), "--json", str(report)]) == 0
    shown = capsys.readouterr().out
    assert "nan" not in shown.lower()
    assert "–" in shown
    assert json.loads(report.read_text())["files"][0]["agreement_iou"] == {
        "road": 1,
        "vehicle": None,
        "pedestrian": None,
    }


def test_a_data_set_needs_a_folder(untrained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", str(untrained), "--int8", "--data", "camvid", "-o", str(tmp_path)]) == 2
    assert "NAME=ROOT" in capsys.readouterr().err
