# SPDX-License-Identifier: Apache-2.0
"""One stream of training crops from unlike data sets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset, default_collate

from perception.classes import UNLABELLED
from perception.sample import Sample
from perception.sensors import encode
from perception.training.augment import (
    drop_modalities,
    hard_labels,
    photometric,
    random_crop,
    random_subset,
    rare_pixel,
)


@dataclass(frozen=True)
class Source:
    """A data set in the mixture: its samples, how often it is drawn (relative), and the range of random scales."""

    samples: Sequence[Sample]
    weight: float
    scale: tuple[float, float]


FOCUSED = 0.25
"""Share of the crops that are placed on a pedestrian or a vehicle; more of them, and walls close by become vehicles."""


class Mixture(Dataset[dict[str, torch.Tensor]]):
    """`length` random crops; crop i depends on (seed, i) alone, so that a resumed run sees what it would have seen.

    Each item: rgb (3, h, w) uint8, aux (C, h/2, w/2) uint8, present (M,) float32, labels (h, w) uint8.
    crop: (h, w).
    """

    def __init__(self, sources: Sequence[Source], crop: tuple[int, int], length: int, seed: int = 0) -> None:
        self.sources = sources
        self.crop = crop
        self.length = length
        self.seed = seed
        weights = np.array([source.weight for source in sources], np.float64)
        self.shares = weights / weights.sum()

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        rng = np.random.default_rng((self.seed, index))
        source = self.sources[rng.choice(len(self.sources), p=self.shares)]
        sample = source.samples[int(rng.integers(len(source.samples)))]
        labels = hard_labels(sample)
        focus = rare_pixel(labels, rng) if rng.random() < FOCUSED else None
        crop = random_crop(sample.frame.size, self.crop, source.scale, rng, focus)
        labels = crop.image(labels, nearest=True, border=UNLABELLED)
        frame = crop.frame(sample.frame)
        if frame.rgb is not None:
            frame.rgb = photometric(frame.rgb, rng)
        network_input = encode(frame, self.crop[1], self.crop[0])
        network_input = drop_modalities(network_input, random_subset(network_input.present, rng))
        return dict(
            rgb=torch.from_numpy(network_input.rgb.transpose(2, 0, 1).copy()),
            aux=torch.from_numpy(network_input.aux.transpose(2, 0, 1).copy()),
            present=torch.from_numpy(network_input.present),
            labels=torch.from_numpy(labels),
        )


def batches(crops: Mixture, size: int) -> Iterator[dict[str, torch.Tensor]]:
    """All crops in batches of `size`, made in this process."""
    for start in range(0, len(crops), size):
        yield default_collate([crops[i] for i in range(start, min(start + size, len(crops)))])
