# SPDX-License-Identifier: Apache-2.0
"""From a config's `training` and folders of data to a `Mixture`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from mmengine.config import ConfigDict

from perception.datasets.registry import open_dataset
from perception.errors import DataError, ModelError
from perception.sample import Sample
from perception.training.augment import Subsets
from perception.training.boxes import check_with_tracklets
from perception.training.depth_fault import DepthFaults
from perception.training.level import expect_ground
from perception.training.lidar_fault import LidarFaults
from perception.training.mixture import Augmentation, Mixture, Source
from perception.training.paste import Paste
from perception.training.patches import Patches
from perception.training.thermal_fault import ThermalFaults
from perception.training.weather import Weather


def open_mixture(
    recipe: ConfigDict,
    data: Sequence[tuple[str, Path]],
    length: int,
    seed: int,
    progress: Callable[[str], None] = print,
    whole: bool = False,
    labelled: bool = True,
) -> Mixture:
    """`length` crops of the data sets `data`, (name, root) pairs, as a config's `training` wants them.

    whole: see `Mixture`. labelled: samples with labels only; False takes all of them, and no labels. Raises DataError
    for data that cannot be read or that the config does not know, ModelError for settings that there are not.
    """
    sources = [_source(name, root, recipe, progress, labelled) for name, root in data]
    return Mixture(sources, recipe.crop, length, seed, _augmentation(recipe), whole)


def _augmentation(recipe: ConfigDict) -> Augmentation:
    kinds = {
        "weather": Weather,
        "lidar": LidarFaults,
        "depth": DepthFaults,
        "thermal": ThermalFaults,
        "patches": Patches,
        "paste": Paste,
        "subsets": Subsets,
    }
    settings = recipe.get("augmentation", {})
    unknown = set(settings) - set(kinds)
    if unknown:
        raise ModelError(f"training.augmentation: {unknown.pop()!r} is none of {', '.join(kinds)}")
    try:
        return Augmentation(**{name: kinds[name](**values) for name, values in settings.items()})
    except TypeError as error:
        raise ModelError(f"training.augmentation: {error}") from error


def _source(name: str, root: Path, recipe: ConfigDict, progress: Callable[[str], None], labelled: bool) -> Source:
    if name not in recipe.sources:
        raise DataError(f"data set {name!r}: this config knows {', '.join(recipe.sources)}")
    settings = recipe.sources[name]
    samples: Sequence[Sample] = open_dataset(settings.get("dataset", name), root, settings.get("split", "train"))
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
