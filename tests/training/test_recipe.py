# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from mmengine.config import Config, ConfigDict

from perception.errors import ModelError
from perception.paths import config_path, share
from perception.training.data.sources import open_mixture
from perception.training.recipe import check_recipe


def recipe() -> ConfigDict:
    return Config.fromfile(config_path("models/dual_branch_s_rich.py")).training


@pytest.mark.parametrize("path", sorted((share() / "configs/models").glob("*.py")), ids=lambda path: path.stem)
def test_the_shipped_recipes_are_good(path: Path) -> None:
    check_recipe(Config.fromfile(path).training)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (dict(iteration=9), "training: no setting is called 'iteration'; did you mean 'iterations'?"),
        (
            dict(sources={"camvid": dict(sofft=True)}),
            r"training.sources\['camvid'\]: no setting is called 'sofft'; did you mean 'soft'?",
        ),
        (dict(sources={"camvidd": {}}), "training.sources: no setting is called 'camvidd'; did you mean 'camvid'?"),
        (dict(sources={"msrs": dict(donors=["camvit"])}), r"\['msrs'\].donors: .*'camvit'; did you mean 'camvid'?"),
        (dict(augmentation=dict(lidr={})), "training.augmentation: no setting is called 'lidr'; did you mean 'lidar'?"),
        (
            dict(augmentation=dict(lidar=dict(rotations=1))),
            "training.augmentation.lidar: no setting is called 'rotations'; did you mean 'rotation'?",
        ),
        (dict(soft=dict(temp=1)), "training.soft: no setting is called 'temp'; did you mean 'temperature'?"),
        (dict(teacher=dict(wait=1)), "training.teacher: no setting is called 'wait'; did you mean 'weight'?"),
        (dict(mean_teacher=dict(threshold=1)), "training.mean_teacher: .*did you mean 'thresholds'?"),
        (dict(losses=[dict(type="LovaszSoftmaxx")]), r"training.losses\[0\]: .*did you mean 'LovaszSoftmax'?"),
        (dict(losses=[dict(type="LovaszSoftmax", loss_wait=1)]), r"losses\[0\]: .*did you mean 'loss_weight'?"),
        (dict(losses=[dict(loss_weight=1)]), r"training.losses\[0\]: no 'type'"),
        (dict(sources={"folder": dict(_delete_=True, weight=1)}), r"\['folder'\]: 'split' is missing"),
    ],
)
def test_what_there_is_not_is_refused_with_the_nearest(change: dict[str, object], said: str) -> None:
    config = Config(dict(training=recipe()))
    config.merge_from_dict({"training": change})
    with pytest.raises(ModelError, match=said):
        check_recipe(config.training)


def test_it_is_refused_before_anything_is_read() -> None:
    changed = recipe()
    changed.learning_rat = 1
    with pytest.raises(ModelError, match="did you mean 'learning_rate'"):
        open_mixture(changed, [("camvid", Path("nowhere"))], 1, 0)
    del changed["learning_rat"], changed["warm_up"]
    with pytest.raises(ModelError, match="training: 'warm_up' is missing"):
        check_recipe(changed)
