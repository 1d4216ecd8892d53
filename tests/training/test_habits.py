# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("mmseg")

from helpers.networks import ZOO
from helpers.recipes import small
from mmengine.config import Config

from perception import Frame, Pipeline
from perception.errors import ModelError
from perception.models.networks import NETWORKS, find_network
from perception.training.habits import OPTIMISERS, Habits, habits_of
from perception.training.hooks import read_checkpoint
from perception.training.train import Options, read_network, train


def test_a_networks_own_rate_goes_before_the_recipes_and_behind_the_command_lines() -> None:
    recipe = small()
    assert Habits().over(recipe) == recipe
    habits = Habits(optimizer="SGD", learning_rate=0.5)
    assert habits.over(recipe).learning_rate == 0.5
    assert habits.over(recipe).weight_decay == recipe.weight_decay
    options = Options(data=[], work_dir=Path(), learning_rate=0.25)
    assert options.over(habits.over(recipe)).learning_rate == 0.25
    assert habits.optimiser(0.25, 0.1) == dict(type="SGD", momentum=0.9, lr=0.25, weight_decay=0.1)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (dict(optimizer="SDG"), "train.optimizer: no optimiser is called 'SDG'; did you mean 'SGD'"),
        (dict(learning_rate=0.0), "train.learning_rate: expected more than 0, got 0.0"),
        (dict(weight_decay=-1.0), "train.weight_decay: expected 0 or more, got -1.0"),
        (dict(rate=0.1), "no setting is called 'rate'"),
        ("SGD", "train: expected dict"),
    ],
)
def test_what_is_no_habit_is_refused_with_the_file(tmp_path: Path, given: Any, said: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"model = dict(type='EncoderDecoder')\ntrain = {given!r}\n")
    with pytest.raises(ModelError, match=said) as caught:
        read_network(path)
    assert str(path) in str(caught.value)


def test_every_network_of_the_zoo_states_how_its_authors_train() -> None:
    assert set(ZOO) <= set(NETWORKS)
    for name in ZOO:
        habits = habits_of(Config.fromfile(find_network(name)))
        assert habits.optimizer in OPTIMISERS
        assert habits.learning_rate
        assert habits.weight_decay


def test_a_network_of_the_camera_alone_is_trained_with_its_own_optimiser(camvid: Path, tmp_path: Path) -> None:
    options = Options(data=[("camvid", camvid)], work_dir=tmp_path / "run", iterations=2, workers=0, save_interval=1)
    config = read_network(find_network("fast_scnn"))
    weights = train(config, small(), options, lambda _: None)
    group = read_checkpoint(tmp_path / "run/last.pt")["optimizer"]["param_groups"][0]
    assert (group["momentum"], group["initial_lr"]) == (0.9, 0.045)
    image = np.random.default_rng(0).integers(0, 256, (64, 96, 3), np.uint8)
    assert Pipeline.load(weights, "torch", threads=1)(Frame(0, rgb=image)).modality_weights == {"rgb": 1.0}
    config.train.optimizer = "AdamW"
    with pytest.raises(ModelError, match=r'train.optimizer was "SGD", is "AdamW"'):
        train(config, small(), replace(options, resume=True, iterations=3), lambda _: None)
