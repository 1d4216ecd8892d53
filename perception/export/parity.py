# SPDX-License-Identifier: Apache-2.0
"""Whether an exported network still says what PyTorch says of the same weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from perception.classes import CLASSES, Classes
from perception.engines import find_model, load_engine
from perception.engines.base import Engine
from perception.engines.described import classes_of
from perception.errors import ModelError
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.sensors import NetworkInput

MIN_AGREEMENT = 0.999
"""Share of pixels on which an exported engine must give PyTorch's label."""

MIN_AGREEMENT_INT8 = 0.99
"""The same for INT8, whose steps are coarser; what it costs in IoU on real data is for `perception eval` to say."""


@dataclass(frozen=True)
class Parity:
    """How well an engine's labels agree with a reference's.

    agreement: share of the pixels with the same label. iou: per foreground class, the reference taken for the truth;
    NaN for classes that neither gives.
    """

    agreement: float
    iou: dict[str, float]


def compare(reference: Engine, other: Engine, inputs: Iterable[NetworkInput], classes: Classes = CLASSES) -> Parity:
    """The agreement over the pixels of all `inputs`."""
    confusion = ConfusionMatrix(classes)
    for network_input in inputs:
        confusion.update(other.infer(network_input).labels, reference.infer(network_input).labels)
    return Parity(confusion.pixel_accuracy(), confusion.iou())


def check_parity(
    weights: Path, exported: Path, inputs: Iterable[NetworkInput], at_least: float = MIN_AGREEMENT
) -> Parity:
    """The agreement of an exported file, in the precision that its engine takes by itself, with PyTorch in float32.

    Raises ModelError where fewer than `at_least` of the labels agree.
    """
    from perception.engines.pytorch import TorchEngine

    engine = load_engine(*find_model(exported, "auto"), threads=None)
    parity = compare(TorchEngine(weights, device="cpu"), engine, inputs, classes_of(weights))
    if parity.agreement < at_least:
        raise ModelError(
            f"{exported.name}: labels agree with {weights} on {parity.agreement:.3%}, at least {at_least:.1%} is needed"
        )
    return parity
