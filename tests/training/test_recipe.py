# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from perception.cli.train import EXAMPLES
from perception.errors import ModelError
from perception.paths import share
from perception.selection.export import FORMATS
from perception.sensors.radar import RadarFaults
from perception.training.recipe import (
    Augmentation,
    LidarFaults,
    MeanTeaching,
    Recipe,
    Sampling,
    Sides,
    SoftLabels,
    Teaching,
    read_recipe,
)

SHIPPED = sorted(path.stem for path in (share() / "configs/recipes").glob("*.py"))


def recipe(**changes: object) -> Recipe:
    return replace(read_recipe("real"), **changes)


def sampled(name: str, **settings: object) -> Recipe:
    return recipe(sources={**read_recipe("real").sources, name: Sampling(1.0, (1.0, 1.0), **settings)})


@pytest.mark.parametrize("name", SHIPPED)
def test_the_shipped_recipes_are_good_and_told(name: str) -> None:
    assert isinstance(read_recipe(name), Recipe)
    assert f"\n  {name} " in EXAMPLES


@pytest.mark.parametrize("name", sorted({*SHIPPED} - {"instances"}))  # whose masks do not tell one from the other
def test_what_came_back_from_annotation_tools_is_drawn_as_a_folder_is(name: str) -> None:
    sources = read_recipe(name).sources
    assert [sources[each] for each in FORMATS] == [sources["folder"]] * len(FORMATS)


def test_a_part_of_the_resolution_shows_the_same_scenes_in_fewer_pixels() -> None:
    whole = read_recipe("short")
    half = whole.at(0.5)
    assert half.crop == (whole.crop[0] // 2, whole.crop[1] // 2)
    assert half.sources["camvid"] == replace(whole.sources["camvid"], scale=(0.375, 1.0))
    assert whole.at(1.0) == whole
    with pytest.raises(ModelError, match=r"Recipe\.crop: expected multiples of 32, got \(58, 115\)"):
        whole.at(0.3)


def test_the_shipped_schedules_are_as_they_were() -> None:
    scratch, real, finetune = (read_recipe(name) for name in ("scratch", "real", "finetune"))
    schedule = lambda each: (each.batch_size, each.iterations, each.learning_rate, each.warm_up, each.average_decay)  # noqa: E731
    assert schedule(scratch) == (4, 12000, 2e-3, 200, 0.998)
    assert schedule(real) == (8, 1500, 1e-3, 60, 0.999)
    assert schedule(finetune) == (8, 2400, 3e-4, 100, 0.999)
    radar = Augmentation(further={"radar": RadarFaults(share=0.4)})  # disturbs only what has a radar
    assert scratch == Recipe(scratch.sources, augmentation=radar)  # what a recipe does not say is as simple as that
    assert real.sources["cityscapes-small"].weight == 14.0
    assert real.losses[1] == dict(type="LovaszSoftmax", loss_weight=0.5)
    assert (finetune.init, real.init) == ("dual_branch_s", None)


def made(kind: Callable[..., Any], **settings: object) -> Any:
    """A recipe as a recipe's file makes it, without a type checker."""
    return kind(**settings)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: recipe(iteration=9), "Recipe: no setting is called 'iteration'; did you mean 'iterations'?"),
        (lambda: recipe(iterations=0), "Recipe.iterations: expected more than 0, got 0"),
        (lambda: recipe(learning_rate="1e-3"), "Recipe.learning_rate: expected a number, got '1e-3'"),
        (lambda: recipe(crop=(320, 760)), r"Recipe.crop: expected multiples of 32, got \(320, 760\)"),
        (lambda: sampled("camvid", sofft=True), "Sampling: no setting is called 'sofft'; did you mean 'soft'?"),
        (lambda: made(Sampling, weight=1.0), "Sampling: 'scale' is missing"),
        (lambda: Sampling(-1.0, (1.0, 2.0)), "Sampling.weight: expected more than 0, got -1.0"),
        (lambda: sampled("camvid", labels=0.0), "Sampling.labels: expected more than 0, got 0.0"),
        (lambda: sampled("camvid", labels=5.0), "Sampling.labels: expected a share of at most 1, got 5.0"),
        (lambda: sampled("camvid", weak="box"), "Sampling.weak: no setting is called 'box'; did you mean 'boxes'?"),
        (lambda: Sampling(1.0, (2.0, 1.0)), r"Sampling.scale: expected \(least, most\), both above 0, got \(2.0, 1.0"),
        (lambda: sampled("camvidd"), "Recipe.sources: no setting is called 'camvidd'; did you mean 'camvid'?"),
        (lambda: sampled("msrs", donors=("camvit",)), r"\['msrs'\].donors: .*'camvit'; did you mean 'camvid'?"),
        (lambda: recipe(sources={}), "Recipe.sources: none"),
        (
            lambda: made(Augmentation, lidr=LidarFaults()),
            "Augmentation: .*'lidr'; did you mean 'lidar'?",
        ),
        (lambda: Augmentation(lidar=0.4), "Augmentation.lidar: expected LidarFaults, got 0.4"),
        (
            lambda: made(LidarFaults, rotations=1),
            "LidarFaults: .*'rotations'; did you mean 'rotation'?",
        ),
        (lambda: made(SoftLabels, temp=1), "SoftLabels: no setting is called 'temp'; did you mean 'temperature'?"),
        (lambda: made(Teaching, wait=1), "Teaching: no setting is called 'wait'; did you mean 'weight'?"),
        (lambda: made(Sides, along=1), "Sides: no setting is called 'along'; did you mean 'alone'?"),
        (lambda: made(MeanTeaching, threshold=1), "MeanTeaching: .*did you mean 'thresholds'?"),
        (lambda: recipe(losses=[dict(type="LovaszSoftmaxx")]), r"losses\[0\]: .*did you mean 'LovaszSoftmax'?"),
        (lambda: recipe(losses=[dict(type="LovaszSoftmax", loss_wait=1)]), r"\[0\]: .*did you mean 'loss_weight'?"),
        (lambda: recipe(losses=[dict(loss_weight=1)]), r"Recipe.losses\[0\]: no 'type'"),
    ],
)
def test_what_there_is_not_is_refused(make: Callable[[], object], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        make()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("recipe = 3\n", "no `recipe = Recipe"),
        ("recipe = (\n", "cannot be read as a recipe"),
        (
            "from perception.training.recipe import Recipe\nrecipe = Recipe(source={})\n",
            r"mine.py: Recipe: no setting is called 'source'; did you mean 'sources'",
        ),
    ],
)
def test_mistakes_in_a_file_name_the_file(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text)
    with pytest.raises(ModelError, match=rf"mine\.py.*{said}|{said}"):
        read_recipe(path)


def test_recipes_that_there_are_not(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"did you mean recipes/finetune\.py"):
        read_recipe("finetun")
    with pytest.raises(ModelError, match=r"none\.py: no such recipe; the package's own are in configs/recipes"):
        read_recipe(tmp_path / "none.py")


def test_the_example_in_the_documents_is_a_recipe(tmp_path: Path) -> None:
    text = (share() / "docs/training.md").read_text("utf-8")
    example = re.search(r"^    from dataclasses import replace\n(?:    .*\n|\n)*", text, re.MULTILINE)
    assert example
    (tmp_path / "mine.py").write_text(textwrap.dedent(example[0]))
    assert read_recipe(tmp_path / "mine.py").sources["folder"].weight == 3.0
