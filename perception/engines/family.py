# SPDX-License-Identifier: Apache-2.0
"""The models that `auto` chooses from: what the folder of weights holds, and what each costs in accuracy.

Networks are told apart by name: NAME and its INT8 form NAME_int8. Each also runs at a reduced resolution, which is
quicker still.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from perception.engines import ENGINES, find_model
from perception.engines.manifest import digest_of
from perception.errors import ModelError
from perception.paths import WEIGHTS
from perception.sensors import network_size
from perception.sensors.encode import STRIDE

AUTO = "auto"
"""The name that asks for a choice."""

INT8 = "_int8"
"""How the name of a quantised network ends."""

INSTANCES = "_instances"
"""How the name of a network ends that also tells things apart: its masks are those of the one without, and come later,
so that nobody gets it who does not name it."""

SMALLER = 0.7
"""The reduced resolution: of each side of the network's input. It takes half of the time."""

ACCURACY = "accuracy.json"
"""Beside the weights: {member: {"weights": SHA-256, "iou": {set: {class: IoU}}}}, by `benchmarks/family.py`."""


@dataclass(frozen=True)
class Member:
    """A way to run a network: by which engine, from which file, at which part of the usual resolution.

    accuracy: the mean IoU over sets and classes, where it was measured with these very weights.
    """

    engine: str
    path: Path
    scale: float = 1.0
    accuracy: float | None = None

    @property
    def name(self) -> str:
        """The model's, and the scale where it is reduced."""
        return member_name(self.path.stem, self.scale)


def input_size(width: int, height: int, scale: float = 1.0) -> tuple[int, int]:
    """Width and height of the network's input for an image of `width`×`height`: see `network_size`, and `Member`."""
    full = network_size(width, height)
    across, down = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in full)
    return across, down


def member_name(model: str, scale: float = 1.0) -> str:
    """As the table of accuracies calls it."""
    return model if scale == 1.0 else f"{model}@{scale:g}"


def family(engine: str = AUTO, folder: Path | None = None) -> tuple[Member, ...]:
    """Every member that `engine` (see `ENGINES`, or auto) has a file of, the most accurate first.

    Where not all were measured: by the networks' size, each in float, in INT8 and then smaller. folder: None for the
    shipped weights.
    """
    folder = folder or WEIGHTS
    suffixes = {kind.suffix for kind in ENGINES.values()}
    stems = {path.with_suffix("") for path in folder.iterdir() if path.suffix in suffixes}
    floats = sorted(
        (stem for stem in stems if not stem.name.endswith((INT8, INSTANCES))),
        key=lambda stem: (-_size(stem, engine), stem),
    )
    members = []
    for network in floats:
        forms = [_found(stem, engine) for stem in (network, network.with_name(network.name + INT8)) if stem in stems]
        there = [form for form in forms if form is not None]
        members += [Member(*form) for form in there]
        members += [Member(*form, SMALLER) for form in there[-1:]]
    measured = accuracies(folder)
    members = [Member(each.engine, each.path, each.scale, measured.get(each.name)) for each in members]
    if all(each.accuracy is not None for each in members):
        members.sort(key=lambda each: -(each.accuracy or 0.0))
    return tuple(members)


def accuracies(folder: Path) -> dict[str, float]:
    """By member, the mean IoU of the folder's table; without those whose weights it was not made with."""
    path = folder / ACCURACY
    if not path.is_file():
        return {}
    found = {}
    for name, row in json.loads(path.read_text("utf-8")).items():
        weights = folder / f"{name.partition('@')[0]}.bin"
        if weights.is_file() and digest_of(weights) == row["weights"]:
            values = [iou for by_class in row["iou"].values() for iou in by_class.values()]
            found[name] = sum(values) / len(values)
    return found


def weights_of(model: Path) -> Path:
    """The file that holds the weights of a model's."""
    return model.with_suffix(".bin") if model.suffix == ".xml" else model


def _found(stem: Path, engine: str) -> tuple[str, Path] | None:
    try:
        return find_model(stem, engine)
    except ModelError:
        return None


def _size(stem: Path, engine: str) -> int:
    found = _found(stem, engine)
    return weights_of(found[1]).stat().st_size if found else 0
