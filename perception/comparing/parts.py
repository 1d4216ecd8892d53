# SPDX-License-Identifier: Apache-2.0
"""Which samples the networks of a comparison are scored on: those of the data sets that none of them was trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, islice
from pathlib import Path

from perception.datasets.registry import READERS, open_dataset
from perception.errors import DataError
from perception.sample import Sample
from perception.training.recipe import Recipe

SIMULATED = "simulated"
"""The data set that is not real, whose other streets are rendered."""

DRIVES = ("kitti-frames", "kitti-stereo", "kitti-raw", "kitti-raw-stereo")
"""Data sets whose frames follow one another."""

STREETS, STREET_FRAMES = 10, 100
"""Simulated streets that are scored, and the frames of each that the scored ones are chosen from."""

VAL = "val"


@dataclass
class Part:
    """The part of a data set that is scored. what: of the set, in a word or two. chosen: indices of `samples`."""

    name: str
    what: str
    samples: Sequence[Sample]
    chosen: list[int]
    frames: list[Sample] = field(default_factory=list)

    @property
    def real(self) -> bool:
        """Whether a camera took the images."""
        return self.name != SIMULATED

    def read(self, done: Callable[[], None]) -> None:
        """Hold the chosen frames in memory, for all networks; those without a camera image are left out, since some
        networks have nothing else."""
        for index in self.chosen:
            sample = self.samples[index]
            if sample.frame.rgb is not None:
                self.frames.append(sample)
            done()
        self.frames.sort(key=lambda sample: sample.frame.size)  # engines compile anew for another size
        if not self.frames:
            raise DataError(
                f"{self.name}: none of {len(self.chosen)} frames has a camera image, which all networks see"
            )


def trained_on(data: Sequence[tuple[str, Path]], recipe: Recipe) -> list[tuple[str, Path]]:
    """The data sets that the recipe names, all others are only scored. Raises DataError for a name given twice, and
    where nothing is left."""
    names = [name for name, _ in data]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"--data {twice[0]}=…: given twice; the table has one column of it")
    found = [(name, root) for name, root in data if name in recipe.sources]
    if not found:
        raise DataError(f"--data: the recipe knows none of {', '.join(names)}, only {', '.join(recipe.sources)}")
    return found


def held_out(
    data: Sequence[tuple[str, Path]], recipe: Recipe, frames: int, say: Callable[[str], None] = print
) -> list[Part]:
    """The part of each data set that training by `recipe` does not see, real sets first; at most `frames` frames each,
    evenly spaced.

    A set with splits: its val. One without, that the recipe does not name: all of it. simulated, if the recipe names
    it: streets with other seeds, rendered when they are read. What else the recipe trains on is left out, and `say` is
    told. Raises DataError as `open_dataset` does, and where nothing is left.
    """
    found = []
    for name, root in data:
        part = _part(name, root, recipe)
        if isinstance(part, str):
            say(f"{name}: trained on and not scored: {part}")
            continue
        what, samples = part
        count_of = min(frames, len(samples))
        if not count_of:
            raise DataError(f"{root}: no frame of {name} to score")
        found.append(Part(name, what, samples, [i * len(samples) // count_of for i in range(count_of)]))
    if not found:
        raise DataError("--data: nothing is left to score on; add a set that has a val split, such as camvid=ROOT")
    return sorted(found, key=lambda part: not part.real)


def drive_of(parts: Sequence[Part], frames: int) -> Part | None:
    """`frames` consecutive frames of the first set that is a drive; None without any."""
    for part in parts:
        if part.name in DRIVES and len(part.samples) > 1:
            return Part(part.name, part.what, part.samples, list(range(min(max(frames, 2), len(part.samples)))))
    return None


def _part(name: str, root: Path, recipe: Recipe) -> tuple[str, Sequence[Sample]] | str:
    """What of the set is scored, and its samples; or why nothing is."""
    sampling = recipe.sources.get(name)
    dataset = sampling.dataset or name if sampling else name
    if READERS.find(dataset).split:
        if sampling and sampling.split != "train":
            return f"the recipe takes its split {sampling.split}"
        return VAL, open_dataset(dataset, root, VAL)
    if not sampling:
        return "all", open_dataset(dataset, root)
    if dataset != SIMULATED:
        return "it has no parts of its own"
    from perception.simulation import SimulatedDrives

    seeds = other_seeds(root)
    return f"seeds {', '.join(map(str, seeds))}", SimulatedDrives(seeds, "day", STREET_FRAMES)


def other_seeds(root: Path) -> list[int]:
    """The first STREETS seeds of streets that are not among the drives in `root`."""
    files = [root / "drive.json"] if (root / "drive.json").is_file() else sorted(root.glob("*/drive.json"))
    try:
        seen = {int(json.loads(path.read_text("utf-8"))["seed"]) for path in files}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{root}: a drive.json without its seed ({error}); simulate the drive again") from error
    return list(islice((seed for seed in count() if seed not in seen), STREETS))
