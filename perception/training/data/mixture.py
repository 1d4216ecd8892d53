# SPDX-License-Identifier: Apache-2.0
"""One stream of training crops from different data sets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.frame import MODALITIES, Frame
from perception.sample import Sample
from perception.sensors import NetworkInput, encode
from perception.sensors.encode import for_sensors
from perception.settings import Settings
from perception.training.checks.truth import certain_labels, crop_soft, hard_labels
from perception.training.data.augment import (
    Crop,
    Subsets,
    drop_modalities,
    photometric,
    random_crop,
    rare_pixel,
)
from perception.training.data.depth_fault import DepthFaults
from perception.training.data.instance_targets import instance_targets
from perception.training.data.level import UNLEVELLED, without_heights
from perception.training.data.lidar_fault import LidarFaults
from perception.training.data.paste import Paste, Shelf, Target, find_cutouts, horizon_row
from perception.training.data.patches import Patches
from perception.training.data.thermal_fault import ThermalFaults
from perception.training.data.weather import Weather


@dataclass(frozen=True)
class Source:
    """A data set in the mixture: its samples, how often it is drawn (relative), and the range of random scales.

    soft: learn its soft labels unchanged, not hardened. donors: names of the sources whose objects are pasted into
    its crops. horizon: its row as a share of the height, for copy-paste between frames whose camera is unknown.
    tiles: how many of its frames are side by side in a crop; more than one for sets of small images, which would
    leave most of it empty. It must divide the crop's width into multiples of 32. unlabelled: more samples, which every
    second crop is taken from if there are any.
    """

    samples: Sequence[Sample]
    weight: float
    scale: tuple[float, float]
    name: str = ""
    soft: bool = False
    donors: Sequence[str] = ()
    horizon: float = 0.5
    tiles: int = 1
    unlabelled: Sequence[Sample] = ()


@dataclass(frozen=True)
class Augmentation(Settings):
    """The changes to a crop besides scaling, mirroring and `photometric`. By default only modality dropout.

    further: the `faults` of sensors other than MODALITIES, by name.
    """

    weather: Weather = field(default_factory=Weather)
    lidar: LidarFaults = field(default_factory=LidarFaults)
    depth: DepthFaults = field(default_factory=DepthFaults)
    thermal: ThermalFaults = field(default_factory=ThermalFaults)
    patches: Patches = field(default_factory=Patches)
    paste: Paste = field(default_factory=Paste)
    subsets: Subsets = field(default_factory=Subsets)
    further: Mapping[str, Any] = field(default_factory=dict)


FOCUSED = 0.25
"""Share of the crops that are centred near a pedestrian or a vehicle; with more, walls close by become vehicles."""


class Mixture(Dataset[dict[str, torch.Tensor]]):
    """`length` random crops; crop i depends only on (seed, i), so that a resumed run gets the same crops.

    Each item: rgb (3, h, w) uint8, aux (C, h/2, w/2) uint8, present (M,) float32, labels (h, w) uint8, 255 if
    unlabelled; if any source is soft, also soft (K, h/2, w/2) uint8, probability × 255, zeros where unknown.
    crop: (h, w). whole: keep every modality, and add kept (M,) float32, those that modality dropout would keep.
    classes: of the labels. sensors: those of the network, in its order; one of the camera alone gets the same crops,
    and its camera is never dropped. instances: add instances, what an `InstanceHead` learns, see `instance_targets`.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        crop: tuple[int, int],
        length: int,
        seed: int = 0,
        augmentation: Augmentation | None = None,
        whole: bool = False,
        classes: Classes = CLASSES,
        sensors: Sequence[str] = MODALITIES,
        instances: bool = False,
    ) -> None:
        self.sources = sources
        self.instances = instances
        self.classes = classes
        self.sensors = tuple(sensors)
        self._encoded = MODALITIES if self.sensors == MODALITIES[:1] else self.sensors
        self.crop = crop
        self.length = length
        self.seed = seed
        self.augmentation = augmentation or Augmentation()
        self.whole = whole
        self.soft = any(source.soft for source in sources)
        weights = np.array([source.weight for source in sources], np.float64)
        self.shares = weights / weights.sum()
        wanted = {name for source in sources for name in source.donors} if self.augmentation.paste.share else set()
        shelves = {s.name: Shelf(s.samples, find_cutouts(s.samples), s.horizon) for s in sources if s.name in wanted}
        self.shelves = [[shelves[name] for name in source.donors if name in shelves] for source in sources]

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng((self.seed, index))
        number = int(rng.choice(len(self.sources), p=self.shares))
        height, width = self.crop
        tiles = self.sources[number].tiles
        return _side_by_side([self._tile(number, height, width // tiles, rng) for _ in range(tiles)])

    def _tile(self, number: int, height: int, width: int, rng: np.random.Generator) -> dict[str, torch.Tensor]:
        source = self.sources[number]
        samples = source.unlabelled if source.unlabelled and rng.random() < 0.5 else source.samples
        sample = samples[int(rng.integers(len(samples)))]
        unlabelled = sample.labels is None and sample.probabilities is None
        # Hardening soft labels takes long, and a source that learns them unchanged seldom needs it.
        focused = rng.random() < FOCUSED
        certain = unlabelled or (source.soft and not focused)
        labels = certain_labels(sample) if certain else hard_labels(sample)
        focus = rare_pixel(labels, rng, len(self.classes)) if focused else None
        crop = random_crop(sample.frame.size, (height, width), source.scale, rng, focus)
        if source.soft:
            labels = certain_labels(sample)
        labels = crop.image(labels, nearest=True, border=UNLABELLED)
        instances = None
        if sample.instances is not None and self.instances:
            instances = np.asarray(crop.image(sample.instances, nearest=True), np.uint16)
        soft = crop_soft(sample, crop, labels, len(self.classes)) if source.soft else None
        disturbed = sample.frame
        for fault in (self.augmentation.lidar.draw(rng), self.augmentation.depth.draw(rng)):
            disturbed = fault.apply(disturbed) if fault else disturbed
        for faults in self.augmentation.further.values():
            drawn = faults.draw(rng)
            disturbed = drawn.apply(disturbed) if drawn else disturbed
        frame = self.augmentation.thermal.apply(crop.frame(disturbed), rng)
        network_input = encode(frame, width, height, sensors=self._encoded)
        if rng.random() < UNLEVELLED:
            without_heights(network_input)
        if self.shelves[number]:
            horizon = _horizon(sample.frame, frame, crop, source.horizon)
            scale, height_of_frame = abs(crop.matrix[1, 1]), sample.frame.size[1]
            target = Target(frame, network_input, labels, scale, horizon, height_of_frame, instances)
            self.augmentation.paste.apply(target, self.shelves[number], rng)
        if frame.rgb is not None:
            network_input.rgb = self.augmentation.weather.apply(photometric(network_input.rgb, rng), rng)
        self.augmentation.patches.apply(network_input, rng)
        kept = self.augmentation.subsets.draw(network_input.present, rng)
        if self.sensors != self._encoded:
            network_input, kept = for_sensors(network_input, self.sensors), np.ones(1, np.bool_)
        item = _tensors(network_input if self.whole else drop_modalities(network_input, kept))
        item["labels"] = torch.from_numpy(labels)
        if self.instances:
            item["instances"] = torch.from_numpy(instance_targets(instances, labels, self.classes))
        if self.whole:
            item["kept"] = torch.from_numpy(kept.astype(np.float32))
        if self.soft:
            if soft is None:
                soft = np.zeros((height // 2, width // 2, len(self.classes)), np.uint8)
            item["soft"] = torch.from_numpy(soft.transpose(2, 0, 1).copy())
        return item


def _side_by_side(tiles: list[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """One item made of several: images side by side; a modality is present if any tile has it."""
    if len(tiles) == 1:
        return tiles[0]
    joined = {}
    for name in tiles[0]:
        parts = torch.stack([tile[name] for tile in tiles])
        joined[name] = parts.amax(0) if parts.ndim == 2 else torch.cat([tile[name] for tile in tiles], -1)
    return joined


def _tensors(network_input: NetworkInput) -> dict[str, torch.Tensor]:
    return dict(
        rgb=torch.from_numpy(network_input.rgb.transpose(2, 0, 1).copy()),
        aux=torch.from_numpy(network_input.aux.transpose(2, 0, 1).copy()),
        present=torch.from_numpy(network_input.present),
    )


def _horizon(whole: Frame, cropped: Frame, crop: Crop, share: float) -> float:
    """The horizon's row in the crop."""
    if cropped.camera is not None:
        return horizon_row(cropped, share)
    return float(crop.matrix[1, 1] * horizon_row(whole, share) + crop.matrix[1, 2])
