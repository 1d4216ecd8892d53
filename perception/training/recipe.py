# SPDX-License-Identifier: Apache-2.0
"""How a network is trained, as one typed object: data, crops, losses, teachers, augmentation and schedule.

A recipe is a Python file with `recipe = Recipe(…)`; the package's own are in configs/recipes.
"""

from __future__ import annotations

import inspect
import runpy
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mmseg.registry import MODELS

import perception.models  # noqa: F401 (registers losses)
from perception.datasets.registry import READERS
from perception.errors import ModelError, PerceptionError
from perception.paths import config_path
from perception.sensors.encode import STRIDE
from perception.settings import Settings, nearest, refuse_unknown
from perception.training.data.augment import Subsets
from perception.training.data.depth_fault import DepthFaults
from perception.training.data.lidar_fault import LidarFaults
from perception.training.data.mixture import Augmentation
from perception.training.data.paste import Paste
from perception.training.data.patches import Patches
from perception.training.data.thermal_fault import ThermalFaults
from perception.training.data.weak import WAYS
from perception.training.data.weather import Weather

__all__ = [
    "Augmentation",
    "DepthFaults",
    "LidarFaults",
    "MeanTeaching",
    "Paste",
    "Patches",
    "Recipe",
    "Sampling",
    "Sides",
    "SoftLabels",
    "Subsets",
    "Teaching",
    "ThermalFaults",
    "Weather",
    "read_recipe",
]


@dataclass(frozen=True)
class Sampling(Settings):
    """How one data set is used.

    weight: how often, relative to the other data sets. scale: the range of random scales of its frames. split: of the
    data set. dataset: the name of its reader, if the source has another name. boxes: check KITTI's soft labels with
    the LiDAR. labels: the share of the labelled samples that keep their labels; the others are the source's
    `unlabelled`, see `perception.training.data.sources.few_labelled`. weak: "boxes" or "scribbles" are all that is left
    of these labels, see `perception.training.data.weak`. soft, donors, horizon, tiles: see
    `perception.training.data.mixture.Source`.
    """

    weight: float
    scale: tuple[float, float]
    split: str = "train"
    dataset: str | None = None
    soft: bool = False
    boxes: bool = False
    donors: tuple[str, ...] = ()
    horizon: float = 0.5
    tiles: int = 1
    labels: float = 1.0
    weak: str | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        _above_zero(self, "weight", "tiles", "labels")
        if self.labels > 1:
            raise ModelError(f"Sampling.labels: expected a share of at most 1, got {self.labels!r}")
        if self.weak is not None:
            refuse_unknown([self.weak], "Sampling.weak", WAYS)
        if not 0 < self.scale[0] <= self.scale[1]:
            raise ModelError(f"Sampling.scale: expected (least, most), both above 0, got {self.scale!r}")


@dataclass(frozen=True)
class SoftLabels(Settings):
    """Arguments of `perception.models.soft_losses.SoftLabelLoss`."""

    temperature: float = 1.0
    weight: float = 1.0


@dataclass(frozen=True)
class Teaching(Settings):
    """How the networks of --teacher teach: the temperature of their predictions, and the weight of that loss."""

    temperature: float = 2.0
    weight: float = 1.0


@dataclass(frozen=True)
class MeanTeaching(Settings):
    """Arguments of `perception.training.mean_teacher.MeanTeacher`."""

    weight: float = 0.5
    thresholds: tuple[float, ...] = (0.95, 0.95, 0.9, 0.8)


@dataclass(frozen=True)
class Sides(Settings):
    """Loss weights of only the camera and of only the other sensors, see `perception.training.trainee.Supervision`."""

    alone: float = 0.0
    distil: float = 0.0


@dataclass(frozen=True)
class Recipe(Settings):
    """All settings of a training; docs/training.md explains the purpose of each.

    sources: by the name given with --data. init: weights to start from, a shipped model's name or a path, unless
    --init is given; None starts from random ones. crop: (height, width) in pixels. iterations: steps of AdamW, of
    `batch_size` crops. learning_rate: the maximum, after `warm_up` iterations; then it decreases by a cosine.
    average_decay: of the moving average of the weights, which is the result. bf16: if the processor supports
    it. losses: configs of mmseg's registry, summed, instead of the head's own. frozen_statistics: batch normalisation
    keeps its statistics. frozen: prefixes of the names of parameters that are not trained.

    Raises ModelError for settings, data sets, donors and losses that do not exist, and for impossible values.
    """

    sources: Mapping[str, Sampling]
    init: str | None = None
    crop: tuple[int, int] = (320, 768)
    batch_size: int = 4
    iterations: int = 12000
    learning_rate: float = 2e-3
    weight_decay: float = 0.02
    warm_up: int = 200
    average_decay: float = 0.998
    bf16: bool = True
    losses: tuple[Mapping[str, Any], ...] = ()
    soft: SoftLabels = field(default_factory=SoftLabels)
    teacher: Teaching = field(default_factory=Teaching)
    mean_teacher: MeanTeaching | None = None
    sides: Sides = field(default_factory=Sides)
    augmentation: Augmentation = field(default_factory=Augmentation)
    frozen_statistics: bool = False
    frozen: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        super().__post_init__()
        _above_zero(self, "batch_size", "iterations", "learning_rate")
        if not self.sources:
            raise ModelError("Recipe.sources: none; a recipe says how often each data set is drawn")
        if any(length <= 0 or length % STRIDE for length in self.crop):
            raise ModelError(f"Recipe.crop: expected multiples of {STRIDE}, got {self.crop!r}")
        for name, sampling in self.sources.items():
            refuse_unknown([sampling.dataset or name], "Recipe.sources", READERS)
            refuse_unknown(sampling.donors, f"Recipe.sources[{name!r}].donors", self.sources)
        for number, loss in enumerate(self.losses):
            _check_loss(loss, f"Recipe.losses[{number}]")

    def at(self, resolution: float) -> Recipe:
        """The same crops of the same scenes at this part of the resolution, of each side: 0.5 is a quarter of the
        pixels. Raises ModelError where the crop's sides are then no multiples of STRIDE."""
        sources = {
            name: replace(each, scale=(each.scale[0] * resolution, each.scale[1] * resolution))
            for name, each in self.sources.items()
        }
        height, width = (round(side * resolution) for side in self.crop)
        return replace(self, crop=(height, width), sources=sources)


def read_recipe(given: str | Path) -> Recipe:
    """The recipe of that name from the package, or that in the .py file `given`, which is run.

    Raises ModelError if there is none, or if it is wrong, with the reason.
    """
    path = Path(given) if Path(given).suffix else config_path(f"recipes/{given}.py")
    if not path.is_file():
        raise ModelError(f"{path}: no such recipe; the package's own are in configs/recipes")
    try:
        found = runpy.run_path(str(path)).get("recipe")
    except PerceptionError as error:
        raise ModelError(f"{path}: {error}") from error
    except Exception as error:  # it is Python code, so that any error may occur
        raise ModelError(f"{path}: cannot be read as a recipe: {error}") from error
    if not isinstance(found, Recipe):
        raise ModelError(f"{path}: no `recipe = Recipe(…)` in this file; docs/training.md shows one")
    return found


def _above_zero(settings: Settings, *names: str) -> None:
    for name in names:
        if getattr(settings, name) <= 0:
            where = f"{type(settings).__name__}.{name}"
            raise ModelError(f"{where}: expected more than 0, got {getattr(settings, name)!r}")


def _check_loss(loss: Mapping[str, Any], where: str) -> None:
    if "type" not in loss:
        raise ModelError(f"{where}: no 'type', the name of a loss")
    found = loss["type"] if inspect.isclass(loss["type"]) else MODELS.get(loss["type"])
    if found is None:
        raise ModelError(f"{where}: no loss is called {loss['type']!r}{nearest(loss['type'], MODELS.module_dict)}")
    parameters = inspect.signature(found).parameters
    if not any(each.kind is each.VAR_KEYWORD for each in parameters.values()):
        refuse_unknown((key for key in loss if key != "type"), where, parameters)
