# SPDX-License-Identifier: Apache-2.0
"""What a config's `training` may say, down to the last key: a misspelt one would leave its default in silence."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import Any

from mmengine.config import ConfigDict
from mmseg.registry import MODELS

import perception.models  # noqa: F401 (registers losses)
from perception.datasets.registry import READERS
from perception.errors import ModelError
from perception.models.soft_losses import SoftLabelLoss
from perception.sensors.spec import FURTHER, SPECS
from perception.training.data.mixture import Augmentation, Source
from perception.training.mean_teacher import MeanTeacher

AUGMENTATIONS: dict[str, Any] = {
    **{each.name: each.default_factory for each in fields(Augmentation) if each.name != "further"},
    **{name: faults.function for name in FURTHER if (faults := SPECS[name].faults)},
}
"""By the key in `augmentation`, whose settings are the class's arguments."""

NEEDED = (
    "crop",
    "batch_size",
    "iterations",
    "learning_rate",
    "weight_decay",
    "warm_up",
    "average_decay",
    "bf16",
    "sources",
)
OPTIONAL = ("losses", "soft", "teacher", "mean_teacher", "sides", "augmentation", "frozen_statistics", "frozen")
SOURCE_NEEDED = ("split", "weight", "scale")
SOURCE = ("split", "dataset", "boxes", *(each.name for each in fields(Source) if each.name not in ("samples", "name")))
TEACHER = ("temperature", "weight")
SIDES = ("alone", "distil")


def check_recipe(recipe: ConfigDict) -> None:
    """Raises ModelError for a key of `training`, at any depth, that there is not, naming the nearest that there is, and
    for one that is missing."""
    _check(recipe, "training", (*NEEDED, *OPTIONAL), NEEDED)
    for name, settings in recipe.sources.items():
        _check([settings.get("dataset", name)], "training.sources", READERS)
        _check(settings, f"training.sources[{name!r}]", SOURCE, SOURCE_NEEDED)
        _check(settings.get("donors", ()), f"training.sources[{name!r}].donors", recipe.sources)
    augmentation = recipe.get("augmentation", {})
    _check(augmentation, "training.augmentation", AUGMENTATIONS)
    for name, settings in augmentation.items():
        _check(settings, f"training.augmentation.{name}", _arguments(AUGMENTATIONS[name]))
    for name, kind in (("soft", SoftLabelLoss), ("mean_teacher", MeanTeacher)):
        _check(recipe.get(name) or {}, f"training.{name}", _arguments(kind))
    _check(recipe.get("teacher", {}), "training.teacher", TEACHER)
    _check(recipe.get("sides", {}), "training.sides", SIDES)
    for number, loss in enumerate(recipe.get("losses", ())):
        where, arguments = f"training.losses[{number}]", {key: value for key, value in loss.items() if key != "type"}
        if "type" not in loss:
            raise ModelError(f"{where}: no 'type', the name of a loss")
        found = loss["type"] if inspect.isclass(loss["type"]) else MODELS.get(loss["type"])
        if found is None:
            raise ModelError(f"{where}: no loss is called {loss['type']!r}{_nearest(loss['type'], MODELS.module_dict)}")
        _check(arguments, where, _arguments(found))


def _check(found: Iterable[str], where: str, known: Collection[str], needed: Collection[str] = ()) -> None:
    names = list(found)
    for name in names:
        if "**" not in known and name not in known:
            raise ModelError(f"{where}: no setting is called {name!r}{_nearest(name, known)}")
    missing = [name for name in needed if name not in names]
    if missing:
        raise ModelError(f"{where}: {missing[0]!r} is missing")


def _nearest(name: str, known: Iterable[str]) -> str:
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {nearest[0]!r}?" if nearest else f"; there are {', '.join(names)}"


def _arguments(kind: Any) -> Mapping[str, Any]:
    """The names of what a class is made with; "**" where it takes any."""
    parameters = inspect.signature(kind).parameters
    return {"**" if each.kind is each.VAR_KEYWORD else name: each for name, each in parameters.items()}
