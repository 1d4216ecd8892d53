# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import write_small  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmseg.registry import MODELS  # noqa: E402

import perception.models  # noqa: E402, F401
from perception.cli.main import main  # noqa: E402
from perception.datasets.registry import open_dataset  # noqa: E402
from perception.engines.weights import save_weights  # noqa: E402
from perception.errors import DataError  # noqa: E402
from perception.paths import config_path  # noqa: E402


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    model = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    model["backbone"]["rgb"]["hidden"] = ((16,), (16,), (16,), (16,))
    path = tmp_path / "tiny.safetensors"
    save_weights(path, MODELS.build(model).state_dict(), model)
    return path


@pytest.fixture
def drive(tmp_path: Path) -> Path:
    """A KITTI drive of two frames without soft labels."""
    rng = np.random.default_rng(0)
    (tmp_path / "drive" / "image_2").mkdir(parents=True)
    for name in ("000000", "000001"):
        cv2.imwrite(str(tmp_path / f"drive/image_2/{name}.png"), rng.integers(0, 256, (64, 128, 3), np.uint8))
    return tmp_path / "drive"


def test_labels_what_training_takes(weights: Path, drive: Path, tmp_path: Path) -> None:
    out, run = tmp_path / "pseudo", tmp_path / "run"
    options = ["--model", str(weights), "--thresholds", "0.25", "0.25", "0.25", "0.25", "-o", str(out)]
    assert main(["pseudo-label", f"kitti-frames={drive}", *options]) == 0
    assert json.loads((out / "pseudo_labels.json").read_text())["numbers"] == [0, 1]
    sample = open_dataset("pseudo", out)[1]
    assert sample.probabilities.shape == (32, 64, 4)
    assert sample.labels is None
    assert sample.frame.rgb.shape == (64, 128, 3)
    recipe = write_small(tmp_path / "small.py")
    arguments = ["--data", f"pseudo={out}", "--iterations", "1", "--workers", "0", "-o", str(run)]
    assert main(["train", "dual_branch_s", "--recipe", str(recipe), *arguments]) == 0
    assert (run / "weights.safetensors").is_file()


def test_fills_in_what_labels_leave_unknown(weights: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = np.full((64, 128), 255, np.uint8)
    labels[10:40, 30:50] = 3
    for folder, image in (("image", rng.integers(0, 256, (64, 128, 3), np.uint8)), ("labels", labels)):
        (tmp_path / "own" / folder).mkdir(parents=True)
        cv2.imwrite(str(tmp_path / "own" / folder / "a.png"), image)
    out = tmp_path / "filled"
    options = ["--fill", "--modalities", "rgb", "--thresholds", "0.2", "0.2", "0.2", "0.2", "-o", str(out)]
    assert main(["pseudo-label", f"folder={tmp_path / 'own'}", "--model", str(weights), *options]) == 0
    sample = open_dataset("pseudo", out)[0]
    assert (sample.labels == labels).all()
    assert sample.probabilities.shape == (32, 64, 4)


def test_mistakes_are_said(weights: Path, camvid: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["--model", str(weights), "--split", "train", "-o", str(tmp_path / "out")]
    assert main(["pseudo-label", f"camvid={camvid}", *arguments]) != 0
    assert "--all" in capsys.readouterr().err
    assert not (tmp_path / "out").exists(), "an empty folder is not left"
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "pseudo_labels.json").write_text("{}")
    with pytest.raises(DataError, match="make it again"):
        open_dataset("pseudo", tmp_path / "out")
