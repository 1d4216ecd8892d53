# SPDX-License-Identifier: Apache-2.0
"""Converts a collated batch to the input of segmentors: mmseg's, and those that learn from all of its tensors."""

from __future__ import annotations

from typing import Any

from mmengine.model import BaseDataPreprocessor
from mmengine.structures import PixelData
from mmseg.registry import MODELS
from mmseg.structures import SegDataSample
from torch import Tensor

from perception.models.dual_branch import Batch
from perception.models.rare_losses import near_border


@MODELS.register_module()
class FusionPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and converts it to mmseg's form; the encoder normalises it.

    edge_radius: rows and columns on either side of a border that are one in `gt_edge_map`, which PIDNet's head learns;
    0 makes none.

    forward: dict of rgb (B, 3, H, W) uint8, aux (B, C, H/2, W/2) uint8, present (B, M) float and, in training, labels
    uint8 (B, H, W) → dict of `inputs`, a `Batch`, and `data_samples`, a list of SegDataSample.
    """

    def __init__(self, edge_radius: int = 0) -> None:
        super().__init__()
        self.edge_radius = edge_radius

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict[str, Any]:
        """See the class."""
        data = self.cast_data(data)
        batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
        size = tuple(batch.rgb.shape[2:])
        samples = [SegDataSample(metainfo=dict(img_shape=size, ori_shape=size, pad_shape=size)) for _ in batch.rgb]
        if "labels" in data:
            self.label(samples, data["labels"])
        return dict(inputs=batch, data_samples=samples)

    def label(self, samples: list[SegDataSample], labels: Tensor) -> None:
        """Give `samples` their labels (B, H, W)."""
        edges = near_border(labels, self.edge_radius) if self.edge_radius else None
        for number, sample in enumerate(samples):
            sample.gt_sem_seg = PixelData(data=labels[number, None].long())
            if edges is not None:
                sample.gt_edge_map = PixelData(data=edges[number, None].long())


@MODELS.register_module()
class TensorPreprocessor(FusionPreprocessor):
    """Moves a batch to the device and gives all of it to a segmentor whose `loss` takes tensors by name.

    forward: dict of tensors → dict of `inputs`, the same on the device, and `data_samples`, None.
    """

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict[str, Any]:
        """See the class."""
        return dict(inputs=self.cast_data(data), data_samples=None)
