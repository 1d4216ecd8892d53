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


@MODELS.register_module()
class FusionPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and converts it to mmseg's form; the encoder normalises it.

    forward: dict of rgb (B, 3, H, W) uint8, aux (B, C, H/2, W/2) uint8, present (B, M) float and, in training, labels
    uint8 (B, H, W) → dict of `inputs`, a `Batch`, and `data_samples`, a list of SegDataSample.
    """

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict[str, Any]:
        """See the class."""
        data = self.cast_data(data)
        batch = Batch(data["rgb"].float(), data["aux"].float(), data["present"])
        size = tuple(batch.rgb.shape[2:])
        samples = [SegDataSample(metainfo=dict(img_shape=size, ori_shape=size, pad_shape=size)) for _ in batch.rgb]
        if "labels" in data:
            for sample, labels in zip(samples, data["labels"], strict=True):
                sample.gt_sem_seg = PixelData(data=labels[None].long())
        return dict(inputs=batch, data_samples=samples)


@MODELS.register_module()
class TensorPreprocessor(BaseDataPreprocessor):
    """Moves a batch to the device and gives all of it to a segmentor whose `loss` takes tensors by name.

    forward: dict of tensors → dict of `inputs`, the same on the device, and `data_samples`, None.
    """

    def forward(self, data: dict[str, Tensor], training: bool = False) -> dict[str, Any]:
        """See the class."""
        return dict(inputs=self.cast_data(data), data_samples=None)
