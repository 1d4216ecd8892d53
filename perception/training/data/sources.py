# SPDX-License-Identifier: Apache-2.0
"""From a config's `training` and folders of data to a `Mixture`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import ConfigDict

from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.frame import MODALITIES
from perception.sample import Sample
from perception.sensors.spec import FURTHER
from perception.training.checks.boxes import check_with_tracklets
from perception.training.data.level import expect_ground
from perception.training.data.mixture import Augmentation, Mixture, Source
from perception.training.recipe import AUGMENTATIONS, check_recipe


def open_mixture(
    recipe: ConfigDict,
    data: Sequence[tuple[str, Path]],
    length: int,
    seed: int,
    progress: Callable[[str], None] = print,
    whole: bool = False,
    labelled: bool = True,
    sensors: Sequence[str] = MODALITIES,
) -> Mixture:
    """`length` crops of the data sets `data`, (name, root) pairs, as a config's `training` wants them.

    whole, sensors: see `Mixture`. labelled: samples with labels only; False takes all of them, and no labels. Raises
    DataError for data that cannot be read or that the config does not know, ModelError for settings that there are not.
    """
    check_recipe(recipe)
    sources = [open_source(name, root, recipe, progress, labelled) for name, root in data]
    return Mixture(sources, recipe.crop, length, seed, _augmentation(recipe), whole, sensors)


def _augmentation(recipe: ConfigDict) -> Augmentation:
    made = {name: AUGMENTATIONS[name](**values) for name, values in recipe.get("augmentation", {}).items()}
    further = {name: made.pop(name) for name in FURTHER if name in made}
    return Augmentation(**made, further=further)


def open_source(name: str, root: Path, recipe: ConfigDict, progress: Callable[[str], None], labelled: bool) -> Source:
    """The data set `name`, read into memory. Arguments and errors as of `open_mixture`."""
    if name not in recipe.sources:
        raise DataError(f"data set {name!r}: this config knows {', '.join(recipe.sources)}")
    settings = recipe.sources[name]
    samples: Sequence[Sample] = open_dataset(settings.get("dataset", name), root, settings.split)
    # Decoding costs more than augmenting: keep everything in memory, shared with the workers.
    if labelled:
        samples = [sample for sample in samples if sample.labels is not None or sample.probabilities is not None]
    else:
        samples = [Sample(sample.name, sample.frame) for sample in samples]
    progress(f"{name}: {len(samples)} samples from {root}")
    if not samples:
        raise DataError(f"{root}: no {'labelled ' if labelled else ''}sample of {name}")
    samples = expect_ground(samples)
    if labelled and settings.get("boxes", False):
        samples = check_with_tracklets(samples, root)
    return Source(
        samples,
        settings.weight,
        tuple(settings.scale),
        name,
        soft=labelled and settings.get("soft", False),
        donors=tuple(settings.get("donors", ())),
        horizon=settings.get("horizon", 0.5),
        tiles=settings.get("tiles", 1),
    )
