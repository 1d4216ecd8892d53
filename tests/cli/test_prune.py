# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import write_small  # noqa: E402
from mmengine.config import Config  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmseg.registry import MODELS  # noqa: E402

import perception.models  # noqa: E402, F401
from perception.cli.main import main  # noqa: E402
from perception.engines.weights import build_model, save_weights  # noqa: E402
from perception.paths import config_path  # noqa: E402


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The shipped network with wider blocks."""
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    config.model.backbone.rgb.hidden = ((32,), (64,), (64,), (64,))
    path = tmp_path / "wide.py"
    config.dump(path)
    return path


@pytest.fixture
def weights(config: Path, tmp_path: Path) -> Path:
    init_default_scope("mmseg")
    model = Config.fromfile(config).model.to_dict()
    path = tmp_path / "wide.safetensors"
    save_weights(path, MODELS.build(model).state_dict(), model)
    return path


def test_writes_weights_and_a_config_that_training_takes(config: Path, weights: Path, camvid: Path) -> None:
    pruned = camvid.parent / "pruned"
    data = ["--recipe", str(write_small(camvid.parent / "small.py")), "--data", f"camvid={camvid}"]
    assert main(["prune", str(config), str(weights), *data, "--batches", "2", "-o", str(pruned)]) == 0
    count = sum(p.numel() for p in build_model(pruned / "weights.safetensors").parameters())
    assert count < sum(p.numel() for p in build_model(weights).parameters())
    trained = camvid.parent / "trained"
    arguments = ["--init", str(pruned / "weights.safetensors"), "--iterations", "1", "--workers", "0"]
    assert main(["train", str(pruned / "config.py"), *data, *arguments, "-o", str(trained)]) == 0
    assert (trained / "weights.safetensors").is_file()


def test_weights_of_another_network_are_an_error(weights: Path, camvid: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.safetensors"
    assert main(["prune", "dual_branch_s", str(missing), "--data", f"camvid={camvid}", "-o", str(tmp_path)]) != 0
