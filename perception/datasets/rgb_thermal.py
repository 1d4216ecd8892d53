# SPDX-License-Identifier: Apache-2.0
"""Aligned pairs of a visible and a thermal image, paired by name: RoadScene, MSRS and similar sets."""

from __future__ import annotations

from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.datasets.io.files import find_image, list_images, read_mono, read_rgb, read_soft_labels
from perception.datasets.io.lazy import LazySequence
from perception.datasets.io.splits import check_split, split_in_time
from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample

LAYOUTS: tuple[tuple[str, str], ...] = (
    ("visible", "infrared"),
    ("vi", "ir"),  # MSRS as published
    ("crop_LR_visible", "cropinfrared"),  # RoadScene as published
)
"""Names of the visible and the infrared folder."""


class RgbThermal(LazySequence[Sample]):
    """Reads ROOT/visible/NAME.* with ROOT/infrared/NAME.* and, if it exists, ROOT/soft_label/NAME.png.

    The folders may also be called `vi` and `ir` or `crop_LR_visible` and `cropinfrared`, and may lie under
    ROOT/train and ROOT/test (val there means test). Without such folders, val is the last 20 % of the names; if
    every name ends in N for night or D for day, as in MSRS, the last 20 % of each.

    split: train, val or all. Samples have rgb, infrared (uint8 or uint16, as stored) and, with a soft label,
    probabilities. Raises DataError for missing folders and, when indexed, for missing, truncated or odd files.
    """

    def __init__(self, root: str | Path, split: str = "all", classes: Classes = CLASSES) -> None:
        check_split(split, ("train", "val", "all"), str(root))
        self._classes = classes
        pairs = _official_pairs(Path(root), split)
        self._pairs = pairs if pairs is not None else _split_by_light(_pairs(Path(root)), split)

    def __len__(self) -> int:
        return len(self._pairs)

    def read(self, index: int) -> Sample:
        """Pair number `index`."""
        visible, infrared = self._pairs[index]
        frame = Frame(stamp_ns=0, rgb=read_rgb(visible), infrared=read_mono(infrared))
        soft = visible.parent.parent / "soft_label" / f"{visible.stem}.png"
        probabilities = read_soft_labels(soft, self._classes) if soft.is_file() else None
        return Sample(visible.stem, frame, probabilities=probabilities)


def _official_pairs(root: Path, split: str) -> list[tuple[Path, Path]] | None:
    if not (root / "train").is_dir():
        return None
    folders = {"train": ["train"], "val": ["test"], "all": ["train", "test"]}[split]
    return [pair for folder in folders for pair in _pairs(root / folder)]


def _split_by_light(pairs: list[tuple[Path, Path]], split: str) -> list[tuple[Path, Path]]:
    """`split_in_time`, for night and day separately if the names distinguish them: val gets both."""
    lights = [visible.stem[-1] for visible, _ in pairs]
    if not set(lights) <= {"N", "D"}:
        return split_in_time(pairs, split)
    night, day = ([pair for pair, each in zip(pairs, lights, strict=True) if each == light] for light in "ND")
    return sorted(split_in_time(night, split) + split_in_time(day, split))


def _pairs(root: Path) -> list[tuple[Path, Path]]:
    """The visible images of `root` with their infrared partners; DataError for those without one."""
    for visible, infrared in LAYOUTS:
        if (root / visible).is_dir():
            images = list_images(root / visible, "visible images")
            partners = [find_image(root / infrared, path.stem) for path in images]
            missing = [path.name for path, partner in zip(images, partners, strict=True) if partner is None]
            if missing:
                raise DataError(
                    f"{root / infrared}: no partner for {len(missing)} of {len(images)} visible images, "
                    f"the first is {missing[0]}"
                )
            return [(path, partner) for path, partner in zip(images, partners, strict=True) if partner is not None]
    known = " or ".join(f"{visible}/ and {infrared}/" for visible, infrared in LAYOUTS)
    raise DataError(f"{root}: no pair of folders {known} with visible and thermal images of the same names")
