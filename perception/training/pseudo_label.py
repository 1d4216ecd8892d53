# SPDX-License-Identifier: Apache-2.0
"""Self-training: confident predictions of a trained network in unlabelled frames become soft labels (Lee, 2013)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np
import torch
from mmseg.models import EncoderDecoder
from numpy.typing import NDArray

from perception.engines.family import input_size
from perception.frame import Frame
from perception.models.aux_stem import sensors_in
from perception.models.dual_branch import Batch
from perception.sensors import encode
from perception.training.checks.truth import SOFT_SCALE
from perception.training.data.augment import Crop
from perception.training.trainee import predict


class PseudoLabeller:
    """Makes soft labels with a trained segmentor.

    segmentor: in eval mode. thresholds: (K,) per class; a pixel whose likeliest class is less probable is not labelled.
    scale: the part of the usual resolution.
    """

    def __init__(self, segmentor: EncoderDecoder, thresholds: Sequence[float], scale: float = 1.0) -> None:
        self.segmentor, self.scale = segmentor, scale
        self.thresholds = np.asarray(thresholds, np.float32)

    def __call__(self, frame: Frame) -> NDArray[np.uint8]:
        """(H/2, W/2, K) uint8, probability × 255, the mean of the frame and its mirror image; zeros if uncertain."""
        width, height = frame.size
        mirror = Crop(np.array([[-1.0, 0, width - 1], [0, 1, 0], [0, 0, 1]]), width, height)
        both = self._probabilities(frame) + self._probabilities(mirror.frame(_registered(frame)))[:, ::-1]
        size = max(1, width // SOFT_SCALE), max(1, height // SOFT_SCALE)
        mean = cv2.resize(np.ascontiguousarray(both / 2), size, interpolation=cv2.INTER_AREA)
        sure = mean.max(2) >= self.thresholds[mean.argmax(2)]
        return np.asarray(np.where(sure[..., None], mean * 255 + 0.5, 0), np.uint8)

    def _probabilities(self, frame: Frame) -> NDArray[np.float32]:
        """(h, w, K) at the network's input size."""
        size = input_size(*frame.size, self.scale)
        network_input = encode(frame, *size, sensors=sensors_in(self.segmentor))
        rgb, aux = (torch.from_numpy(x.transpose(2, 0, 1).copy()) for x in (network_input.rgb, network_input.aux))
        batch = Batch(rgb[None].float(), aux[None].float(), torch.from_numpy(network_input.present)[None])
        with torch.inference_mode():
            logits = predict(self.segmentor, batch, size[::-1])
        probabilities: NDArray[np.float32] = logits[0].float().softmax(0).permute(1, 2, 0).numpy()
        return probabilities


def _registered(frame: Frame) -> Frame:
    """`frame` with a camera of the frame's own size, as `Crop` needs it."""
    return frame if frame.camera is None else replace(frame, camera=frame.camera.resized(*frame.size))
