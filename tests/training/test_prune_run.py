# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

import torch
from helpers.recipes import write_small
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

import perception.models  # noqa: F401
from perception.engines.weights import build_model, save_weights
from perception.paths import config_path
from perception.training.prune_run import PruneOptions, run_prune


@pytest.fixture
def wide(tmp_path: Path) -> Path:
    """The shipped network with wider blocks: wide.py and wide.safetensors."""
    init_default_scope("mmseg")
    torch.manual_seed(0)
    config = Config.fromfile(config_path("networks/dual_branch_s.py"))
    config.model.backbone.rgb.hidden = ((32,), (64,), (64,), (64,))
    config.dump(tmp_path / "wide.py")
    model = config.model.to_dict()
    save_weights(tmp_path / "wide.safetensors", MODELS.build(model).state_dict(), model)
    return tmp_path / "wide.safetensors"


def test_what_is_said_to_stay_is_what_is_written(wide: Path, camvid: Path) -> None:
    folder = wide.parent
    said: list[str] = []
    options = PruneOptions(
        network=str(folder / "wide.py"), recipe=str(write_small(folder / "small.py")), weights=wide,
        data=[("camvid", camvid)], output=folder / "pruned", keep=0.5, at_least=0.25, batches=1,
    )  # fmt: skip
    blocks = run_prune(options, said.append)
    assert said == [f"camvid: 3 samples from {camvid}"]
    for block in blocks:
        assert block.of // 4 <= block.channels <= block.of  # a wide-kernel block has one channel
    assert sum(block.channels for block in blocks) < sum(block.of for block in blocks)
    pruned = build_model(folder / "pruned/weights.safetensors")
    config = Config.fromfile(folder / "pruned/config.py")
    named = dict(pruned.named_modules())
    gone = sum(not block.channels for block in blocks)
    assert (
        sum(config.model.backbone.rgb.wide) + sum(config.model.backbone.aux.wide)
        == sum((0, 1, 3, 3, 0, 1, 1, 1)) - gone
    )
    for block in (block for block in blocks if block.of > 1):
        widths = {module.out_channels for module in named[block.name].modules() if hasattr(module, "out_channels")}
        assert block.channels in widths
    state = MODELS.build(config.model.to_dict()).state_dict()
    assert {name: tensor.shape for name, tensor in state.items()} == {
        name: tensor.shape for name, tensor in pruned.state_dict().items()
    }
