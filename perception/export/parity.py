# SPDX-License-Identifier: Apache-2.0
"""Whether an exported network still says what PyTorch says of the same weights."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, Classes
from perception.engines import find_model, load_engine
from perception.engines.base import Engine, NetworkOutput
from perception.engines.described import classes_of
from perception.errors import ModelError
from perception.evaluation.scores.metrics import ConfusionMatrix
from perception.instances import THINGS
from perception.sensors import NetworkInput

MIN_AGREEMENT = 0.999
"""Share of pixels on which an exported engine must give PyTorch's label."""

MIN_AGREEMENT_INT8 = 0.99
"""The same for INT8, whose steps are coarser; what it costs in IoU on real data is for `perception eval` to say."""

MAX_CENTRES, MAX_OFFSETS = 0.02, 2.0
"""Mean differences that are allowed of the scores of centres, and of the offsets in pixels: half a cell."""


@dataclass(frozen=True)
class Parity:
    """How well an engine's labels agree with a reference's.

    agreement: share of the pixels with the same label. iou: per foreground class, the reference taken for the truth;
    NaN for classes that neither gives. centres, offsets: of networks that tell instances apart, the mean difference of
    the scores of centres, and of the offsets in pixels.
    """

    agreement: float
    iou: dict[str, float]
    centres: float = 0.0
    offsets: float = 0.0


def compare(reference: Engine, other: Engine, inputs: Iterable[NetworkInput], classes: Classes = CLASSES) -> Parity:
    """The agreement over the pixels of all `inputs`."""
    confusion = ConfusionMatrix(classes)
    apart = [np.zeros(2)]
    for network_input in inputs:
        given, expected = other.infer(network_input), reference.infer(network_input)
        confusion.update(given.labels, expected.labels)
        if expected.instances is not None:
            difference = np.abs(_instances(given, other) - expected.instances)
            apart.append(np.array([part.mean() for part in np.split(difference, [len(THINGS)])]))
    centres, offsets = np.sum(apart, 0) / max(len(apart) - 1, 1)
    return Parity(confusion.pixel_accuracy(), confusion.iou(), float(centres), float(offsets))


def _instances(given: NetworkOutput, engine: Engine) -> NDArray[np.float32]:
    if given.instances is None:
        raise ModelError(f"{engine.name}: gives no instances, although the network tells them apart; export it again")
    return given.instances


def check_parity(
    weights: Path, exported: Path, inputs: Iterable[NetworkInput], at_least: float = MIN_AGREEMENT
) -> Parity:
    """The agreement of an exported file, in the precision that its engine takes by itself, with PyTorch in float32.

    Raises ModelError where fewer than `at_least` of the labels agree, and where instances differ by more than
    MAX_CENTRES or MAX_OFFSETS.
    """
    from perception.engines.pytorch import TorchEngine

    engine = load_engine(*find_model(exported, "auto"), threads=None)
    parity = compare(TorchEngine(weights, device="cpu"), engine, inputs, classes_of(weights))
    if parity.agreement < at_least:
        raise ModelError(
            f"{exported.name}: labels agree with {weights} on {parity.agreement:.3%}, at least {at_least:.1%} is needed"
        )
    if parity.centres > MAX_CENTRES or parity.offsets > MAX_OFFSETS:
        raise ModelError(
            f"{exported.name}: instances differ from those of {weights} by {parity.centres:.3f} in the scores of "
            f"centres and {parity.offsets:.1f} pixels, at most {MAX_CENTRES} and {MAX_OFFSETS} are allowed"
        )
    return parity
