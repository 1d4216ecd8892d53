# SPDX-License-Identifier: Apache-2.0
"""Makes a `Mixture` from a recipe and folders of data."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from perception.classes import CLASSES, Classes
from perception.datasets.registry import open_dataset
from perception.errors import DataError
from perception.frame import MODALITIES
from perception.sample import Sample
from perception.training.checks.boxes import check_with_tracklets
from perception.training.data.level import expect_ground
from perception.training.data.mixture import Mixture, Source
from perception.training.data.weak import weakened
from perception.training.recipe import Recipe


def open_mixture(
    recipe: Recipe,
    data: Sequence[tuple[str, Path]],
    length: int,
    seed: int,
    progress: Callable[[str], None] = print,
    whole: bool = False,
    labelled: bool = True,
    classes: Classes = CLASSES,
    sensors: Sequence[str] = MODALITIES,
    instances: bool = False,
    source: Callable[..., Source] | None = None,
) -> Mixture:
    """`length` crops of the data sets `data`, (name, root) pairs, drawn as the recipe says.

    whole, sensors, instances: see `Mixture`; with whole, the samples that a recipe's `labels` leaves without theirs are
    drawn too: somebody else can teach them. labelled: only samples with labels; False takes all of them, and no
    labels. classes: of the labels. source: reads a data set, `open_source` or `once` of it. Raises DataError for data
    that cannot be read or that the recipe does not name, and for instances that no sample has.
    """
    read = source or open_source
    sources = [read(name, root, recipe, progress, labelled, classes, sensors, instances, whole) for name, root in data]
    if instances and not any(sample.instances is not None for source in sources for sample in source.samples):
        raise DataError(
            f"{', '.join(name for name, _ in data)}: no sample has instances, which this network learns: simulate "
            "drives again that an earlier version made, or add penn-fudan or cityscapes"
        )
    return Mixture(sources, recipe.crop, length, seed, recipe.augmentation, whole, classes, sensors, instances)


def once(source: Callable[..., Source]) -> Callable[..., Source]:
    """`source`, an `open_source`, for several runs by one recipe: reading the sets may take longer than a run.

    The data sets of the last network's sensors are kept; those for another's would be in memory twice.
    """
    opened: dict[tuple[str, Path], Source] = {}
    last: tuple[Any, ...] = ()

    def look(name: str, root: Path, recipe: Recipe, progress: Callable[[str], None], *rest: Any) -> Source:
        nonlocal last
        if rest != last:
            opened.clear()
            last = rest
        if (name, root) not in opened:
            opened[name, root] = source(name, root, recipe, progress, *rest)
        return opened[name, root]

    return look


def open_source(
    name: str,
    root: Path,
    recipe: Recipe,
    progress: Callable[[str], None],
    labelled: bool,
    classes: Classes = CLASSES,
    sensors: Sequence[str] = MODALITIES,
    instances: bool = False,
    unlabelled: bool = False,
) -> Source:
    """The data set `name`, read into memory, without the samples that have none of `sensors`. Arguments and errors as
    in `open_mixture`. unlabelled: also keep the samples that the recipe's `labels` leaves without theirs."""
    if name not in recipe.sources:
        raise DataError(f"data set {name!r}: this recipe knows {', '.join(recipe.sources)}")
    sampling = recipe.sources[name]
    samples: Sequence[Sample] = open_dataset(sampling.dataset or name, root, sampling.split, classes)
    # Decoding takes longer than augmenting: keep everything in memory, shared with the workers.
    if labelled:
        samples = [sample for sample in samples if sample.labels is not None or sample.probabilities is not None]
    else:
        samples = [Sample(sample.name, sample.frame) for sample in samples]
    if not instances and not (labelled and sampling.weak):  # they take memory
        samples = [replace(sample, instances=None, point_instances=None) for sample in samples]
    progress(f"{name}: {len(samples)} samples from {root}")
    seen = [sample for sample in samples if set(sample.frame.modalities) & set(sensors)]
    if len(seen) < len(samples):
        progress(f"{name}: {len(samples) - len(seen)} samples left out, which have no {', '.join(sensors)}")
        samples = seen
    if not samples:
        raise DataError(f"{root}: no {'labelled ' if labelled else ''}sample of {name}")
    samples = expect_ground(samples)
    if labelled and sampling.boxes:
        samples = check_with_tracklets(samples, root, classes)
    rest: list[Sample] = []
    if labelled and sampling.labels < 1:
        samples, rest = few_labelled(samples, sampling.labels)
        progress(f"{name}: {len(samples)} of them keep their labels")
    if labelled and sampling.weak:
        samples = [weakened(sample, sampling.weak, classes) for sample in samples]
    return Source(
        samples,
        sampling.weight,
        sampling.scale,
        name,
        soft=labelled and sampling.soft,
        donors=sampling.donors,
        horizon=sampling.horizon,
        tiles=sampling.tiles,
        unlabelled=rest if unlabelled else (),
    )


def few_labelled(samples: Sequence[Sample], share: float) -> tuple[list[Sample], list[Sample]]:
    """The `share` of the samples that keep their labels, at least one, and the others without theirs.

    Their names alone decide: they are the same in every run, and a smaller share is a part of a larger one.
    """
    order = sorted(samples, key=lambda sample: hashlib.sha256(sample.name.encode()).digest())
    chosen = {sample.name for sample in order[: max(1, round(share * len(samples)))]}
    kept = [sample for sample in samples if sample.name in chosen]
    return kept, [Sample(sample.name, sample.frame) for sample in samples if sample.name not in chosen]
