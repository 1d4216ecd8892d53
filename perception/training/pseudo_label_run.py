# SPDX-License-Identifier: Apache-2.0
"""One run of `perception pseudo-label`: a data set's frames, labelled by a trained network."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from perception.datasets.pseudo_labelled import INDEX, label_path, write_label
from perception.datasets.registry import open_dataset
from perception.disk import made_folder, write_json
from perception.engines import find_weights
from perception.engines.described import classes_of
from perception.engines.family import split_name
from perception.engines.weights import build_model
from perception.errors import DataError, ModelError
from perception.sample import Sample
from perception.sensors.presence import keep_modalities
from perception.training.pseudo_label import PseudoLabeller

UNLABELLED_ONLY, ALL, FILL = "unlabelled", "all", "fill"
"""Which frames: those without labels; all of them, again; all of them, where their labels leave pixels unknown."""


@dataclass(frozen=True, kw_only=True)
class PseudoLabelOptions:
    """The options of a run.

    thresholds: the lowest probability for a label, by class. which: UNLABELLED_ONLY, ALL or FILL. modalities: those
    that the network may use; empty for all of a frame. names: the samples that may be labelled; None for all.
    """

    dataset: str
    root: Path
    model: str | Path
    output: Path
    split: str = "all"
    thresholds: Sequence[float] = (0.8, 0.8, 0.8, 0.7)
    which: str = UNLABELLED_ONLY
    modalities: Sequence[str] = ()
    names: Collection[str] | None = None


@dataclass(frozen=True)
class PseudoLabelled:
    """How many frames were labelled, and the share of their pixels with a label."""

    frames: int
    sure: float


def run_pseudo_label(
    options: PseudoLabelOptions, progress: Callable[[range], Iterable[int]] = lambda numbers: numbers
) -> PseudoLabelled:
    """Label them. progress: yields the numbers of the samples, and shows the progress.

    Raises DataError for data that cannot be opened, and if every sample has labels, and ModelError.
    """
    name, scale, twice = split_name(options.model)
    if twice:
        raise ModelError(f"{options.model}: each frame is labelled twice as it is, once mirrored; leave out the x2")
    weights = find_weights(name)
    classes = classes_of(weights)
    samples = open_dataset(options.dataset, options.root, options.split, classes)
    thresholds = classes.per_class(options.thresholds, "--thresholds")
    label = PseudoLabeller(build_model(weights), thresholds, scale)
    numbers, sure = [], 0.0
    with made_folder(options.output):
        for number in progress(range(len(samples))):
            sample = samples[number]
            if options.which == UNLABELLED_ONLY and _has_labels(sample):
                continue
            if options.names is not None and sample.name not in options.names:
                continue
            frame = keep_modalities(sample.frame, options.modalities) if options.modalities else sample.frame
            soft = label(frame)
            write_label(label_path(options.output, number), soft)
            sure += float((soft > 0).any(2).mean())
            numbers.append(number)
    if not numbers:
        raise DataError(f"{options.root}: every sample of {options.dataset} has labels; --all labels them again")
    index = {
        "dataset": options.dataset,
        "root": f"{options.root.resolve()}",
        "split": options.split,
        "numbers": numbers,
        "filled": options.which == FILL,
        "thresholds": list(thresholds),
        "weights_sha256": hashlib.sha256(weights.read_bytes()).hexdigest(),
    }
    write_json(options.output / INDEX, index)
    return PseudoLabelled(len(numbers), sure / len(numbers))


def _has_labels(sample: Sample) -> bool:
    return sample.labels is not None or sample.probabilities is not None
