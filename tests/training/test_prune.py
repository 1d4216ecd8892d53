# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy

import pytest
import torch

pytest.importorskip("mmseg")

from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmseg.registry import MODELS

from perception.errors import ModelError
from perception.models import Batch
from perception.paths import config_path
from perception.training.prune import Channels, choose, measure_importance, prune


def _batch() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return dict(
        rgb=torch.randint(0, 256, (2, 3, 64, 64), generator=generator, dtype=torch.uint8),
        aux=torch.randint(0, 256, (2, 10, 32, 32), generator=generator, dtype=torch.uint8),
        present=torch.ones(2, 4),
        labels=torch.randint(0, 4, (2, 64, 64), generator=generator, dtype=torch.uint8),
    )


@pytest.fixture
def model_config() -> dict:
    """The shipped network before it was pruned."""
    config = Config.fromfile(config_path("networks/dual_branch_s.py")).model.to_dict()
    config["backbone"]["rgb"].update(hidden=((32,), (64, 64), (128, 128), (256, 256)), wide=(0, 0, 1, 1))
    config["backbone"]["aux"].update(wide=None)
    return config


@pytest.fixture
def model(model_config: dict) -> torch.nn.Module:
    init_default_scope("mmseg")
    torch.manual_seed(0)
    return MODELS.build(copy.deepcopy(model_config))


BLOCK = "backbone.rgb.stages.2.1"


def test_channels_that_do_nothing_go_first(model: torch.nn.Module, model_config: dict) -> None:
    block = model.get_submodule(BLOCK)
    dead = torch.arange(0, block.conv1.out_channels, 2)
    with torch.no_grad():
        block.conv2.weight[:, dead] = 0
    channels = measure_importance(model, [_batch()])
    assert (channels[BLOCK].importance[dead] == 0).all()
    stay = {BLOCK: choose({BLOCK: channels[BLOCK]}, 0.5)[BLOCK]}
    assert not set(stay[BLOCK].tolist()) & set(dead.tolist())

    state, config = prune(model.state_dict(), model_config, stay)
    assert config["backbone"]["rgb"]["hidden"][2][1] == len(stay[BLOCK])
    pruned = MODELS.build(config).eval()
    pruned.load_state_dict(state)
    data = _batch()
    batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
    with torch.inference_mode():
        torch.testing.assert_close(
            pruned.decode_head(pruned.backbone(batch)), model.eval().decode_head(model.backbone(batch))
        )


def same_logits(one: torch.nn.Module, other: torch.nn.Module) -> None:
    data = _batch()
    batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
    one, other = one.eval(), other.eval()
    with torch.inference_mode():
        torch.testing.assert_close(one.decode_head(one.backbone(batch)), other.decode_head(other.backbone(batch)))


def test_blocks_that_add_nothing_go_and_those_behind_move_up(model_config: dict) -> None:
    init_default_scope("mmseg")
    model_config["backbone"]["rgb"]["wide"] = (0, 0, 3, 1)
    torch.manual_seed(0)
    model = MODELS.build(copy.deepcopy(model_config))
    for number in (2, 4):  # the third of stride 16 stays at the identity that it was born as
        torch.nn.init.ones_(model.get_submodule(f"backbone.rgb.stages.2.{number}.project.bn").weight)
    channels = measure_importance(model, [_batch(), _batch()])
    idle, busy = "backbone.rgb.stages.2.3", "backbone.rgb.stages.2.4"
    assert channels[idle].importance.tolist() == [0]
    assert channels[busy].importance > 0
    two = {name: channels[name] for name in (idle, busy)}
    of_each = choose(two, 0.1, at_least=0.5)
    assert [len(of_each[name]) for name in (idle, busy)] == [0, 1]
    stay = choose(two, 0.5)
    assert [len(stay[name]) for name in (idle, busy)] == [0, 1]

    state, config = prune(model.state_dict(), model_config, stay)
    assert list(config["backbone"]["rgb"]["wide"]) == [0, 0, 2, 1]
    pruned = MODELS.build(config)
    pruned.load_state_dict(state)
    same_logits(pruned, model)


def test_the_head_loses_inputs_and_outputs_that_do_nothing(model: torch.nn.Module, model_config: dict) -> None:
    head = model.decode_head
    with torch.no_grad():
        head.fine_smooth.conv.weight[:, :16] = 0  # inputs
        head.conv_seg.weight[:, 16:32] = 0  # outputs
    channels = measure_importance(model, [_batch()])["decode_head"]
    assert channels.importance.shape == (2, 48)
    stay = choose({"decode_head": channels}, 0.7)
    assert [numbers.tolist() for numbers in stay["decode_head"]] == [[*range(16, 48)], [*range(16), *range(32, 48)]]

    state, config = prune(model.state_dict(), model_config, stay)
    assert config["decode_head"]["channels"] == 32
    pruned = MODELS.build(config)
    pruned.load_state_dict(state)
    same_logits(pruned, model)


def test_pruning_leaves_what_it_is_given_alone(model: torch.nn.Module, model_config: dict) -> None:
    state = model.state_dict()
    shape, hidden = state[f"{BLOCK}.conv1.weight"].shape, [list(w) for w in model_config["backbone"]["rgb"]["hidden"]]
    prune(state, model_config, {BLOCK: torch.tensor([0, 1])})
    assert state[f"{BLOCK}.conv1.weight"].shape == shape
    assert [list(w) for w in model_config["backbone"]["rgb"]["hidden"]] == hidden


@pytest.mark.parametrize("keep", [0.3, 0.5, 0.8])
def test_keeps_the_share_that_was_asked_for(keep: float) -> None:
    torch.manual_seed(0)
    channels = {f"b{i}": Channels(torch.rand(128) * (i + 1), 1000 * (i + 1)) for i in range(3)}
    stay = choose(channels, keep, at_least=0.25)
    total = sum(128 * c.cost for c in channels.values())
    left = sum(len(stay[name]) * c.cost for name, c in channels.items())
    assert keep * total - 16 * 3000 <= left <= keep * total
    assert all(len(s) % 16 == 0 and len(s) >= 32 for s in stay.values())
    assert all((s.diff() > 0).all() for s in stay.values())


def test_important_blocks_keep_more() -> None:
    channels = {"much": Channels(torch.full((64,), 5.0), 100), "little": Channels(torch.full((64,), 1.0), 100)}
    assert {k: len(v) for k, v in choose(channels, 0.75).items()} == {"much": 64, "little": 32}


@pytest.mark.parametrize("keep", [0.0, 1.1])
def test_an_impossible_share_is_refused(keep: float) -> None:
    with pytest.raises(ModelError, match="keep"):
        choose({"b": Channels(torch.ones(16), 1)}, keep)


def test_a_network_without_such_blocks_is_refused() -> None:
    with pytest.raises(ModelError, match="SlimBlock"):
        measure_importance(torch.nn.Conv2d(1, 1, 1), [])
