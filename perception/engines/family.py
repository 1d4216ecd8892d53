# SPDX-License-Identifier: Apache-2.0
"""The models that `auto` chooses from: what the folder of weights holds, and what each costs in accuracy.

Networks are told apart by name: NAME and its INT8 form NAME_int8. Each also runs at a reduced resolution, which is
quicker, and may look twice (`perception.engines.twice`), which is more accurate.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

from perception.engines import ENGINES, find_model
from perception.engines.base import Engine
from perception.engines.manifest import digest_of
from perception.engines.twice import SECOND, Twice
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

WHOLE = ((1.0, True), (1.0, False))
"""Of every file: the part of the network's usual resolution, of each side, and whether it looks twice; the slowest
first."""

SMALLER = ((1.0, True), (0.85, True), (1.0, False), (0.75, False), (0.7, False), (0.5, False), (0.4, False))
"""The same of a network's quickest file. A part of 0.7 takes half of the time; a second look adds 0.56 of one."""

EVEN = 0.005
"""Differences of the mean IoU that say nothing: one set, of those it is the mean of, moves it by as much."""

FIXED, COMBINING = 0.07, 0.1
"""Parts of a network's time at the usual resolution: what a reduced one does not reduce, and what it takes to make one
answer of two looks. By them INT8 takes 0.59 of it at 0.75 of the resolution, 0.30 at 0.5, and 1.69 looking twice, as
`benchmarks/family.py` measures."""

ASIDE, FEWER = 0.5, 1.75
"""The part of the resolution up to which a member can leave a thread, and how many times as long it then takes on one
of two. On two cores with AVX2 alone, of 200 frames at 20 Hz, INT8 at 0.5 answers 165 to 192 on both, 187 to 200 on one.
"""

SPARE_ASIDE = 1.75
"""How many times its own time such a member needs. On those cores one of 27 to 33 ms takes 36 to 48 in the node; with
1.5, one of 32 ms was chosen for 20 Hz and left 28 of 200 frames out."""

SPARE = 1.3
"""How many times its own time must be there for a network: what is around it, and the others on the machine."""

SPARE_CROWDED = 2.0
"""The same where it has every core, so that it takes turns with what is around it. With 1.7, on two cores with AVX2
alone, a network of 52 ms was chosen for 10 Hz, which left 18 % of both cores free; it took 80 to 200 ms."""

SPARE_TWICE = 2.5
"""The same for a second look, which is worth no frame: beside the rest of a node on two threads of one core, a network
takes half as long again as alone."""

LEAST = 0.25
"""The smallest part of the resolution that can be asked for."""

_NAME = re.compile(r"(?P<name>.+)@(?P<scale>\d+(\.\d+)?)(?P<twice>x2)?")

ACCURACY = "accuracy.json"
"""Beside the weights: {member: {"weights": SHA-256, "iou": {set: {class: IoU}}}}, by `benchmarks/family.py`."""


@dataclass(frozen=True)
class Member:
    """A way to run a network: by which engine, from which file, at which part of the usual resolution, and whether it
    looks twice.

    accuracy: the mean IoU over sets and classes, where it was measured with these very weights. crowded: it has all of
    the process's threads, and the steps around it have none of their own.
    """

    engine: str
    path: Path
    scale: float = 1.0
    accuracy: float | None = None
    twice: bool = False
    crowded: bool = False

    @property
    def name(self) -> str:
        """The model's, and how it is run if that is not as usual."""
        return member_name(self.path.stem, self.scale, self.twice)

    @property
    def base(self) -> Member:
        """The same file as usual: at the usual resolution, looking once."""
        return replace(self, scale=1.0, accuracy=None, twice=False, crowded=False)

    @property
    def aside(self) -> bool:
        """Whether it leaves one of its threads to the steps around it: they take longer than a network so small, and
        two threads of it that wait for each other take more from them than they save."""
        return self.crowded and self.scale <= ASIDE and not self.twice

    @property
    def spare(self) -> float:
        """How many times its own time there must be for it, by the rest of a node and the others on the machine."""
        if self.twice:
            return SPARE_TWICE
        if self.aside:
            return SPARE_ASIDE
        return SPARE_CROWDED if self.crowded else SPARE

    @property
    def work(self) -> float:
        """What it takes of the time of its `base`."""
        looks = (self.scale, self.scale * SECOND) if self.twice else (self.scale,)
        once = sum(FIXED + (1 - FIXED) * scale**2 for scale in looks) + COMBINING * self.twice
        return once * (FEWER if self.aside else 1.0)

    def looking(self, engine: Engine) -> Engine:
        """The engine of the file, as the member runs it."""
        return Twice(engine) if self.twice else engine


def input_size(width: int, height: int, scale: float = 1.0) -> tuple[int, int]:
    """Width and height of the network's input for an image of `width`×`height`: see `network_size`, and `Member`."""
    full = network_size(width, height)
    across, down = (max(STRIDE, round(side * scale / STRIDE) * STRIDE) for side in full)
    return across, down


def member_name(model: str, scale: float = 1.0, twice: bool = False) -> str:
    """As the table of accuracies calls it: dual_branch_s@0.7 at a part of the resolution, dual_branch_s@1x2 if it looks
    twice, dual_branch_s@0.7x2 for both."""
    return f"{model}@{scale:g}{'x2' * twice}" if twice or scale != 1.0 else model


def find_member(model: str | Path | None, engine: str = AUTO) -> Member:
    """What `find_model` finds, run as the end of the name says: see `member_name`.

    None and auto: the most accurate member. Raises ModelError as `find_model`, and for a part of the resolution that is
    not LEAST to 1.
    """
    if model is None or str(model) == AUTO:
        return next(iter(family(engine)), None) or Member(*find_model(None, engine))
    name, scale, twice = split_name(model)
    return Member(*find_model(name, engine), scale, twice=twice)


def split_name(model: str | Path) -> tuple[str | Path, float, bool]:
    """The name without its end, the part of the resolution, and whether it looks twice: see `member_name`."""
    found = _NAME.fullmatch(str(model))
    if not found:
        return model, 1.0, False
    if not LEAST <= (scale := float(found["scale"])) <= 1.0:
        raise ModelError(f"{model}: runs at {LEAST:g} to 1 of the resolution, not at {found['scale']}")
    return found["name"], scale, found["twice"] is not None


def family(engine: str = AUTO, folder: Path | None = None) -> tuple[Member, ...]:
    """The members that there is a reason to run, the most accurate first.

    Where not all were measured these are `all_members`. Of a network's that are even (EVEN), the larger come first, and
    one that a quicker one clearly beats is left out.
    """
    found = all_members(engine, folder)
    if any(each.accuracy is None for members in found for each in members):
        return tuple(each for members in found for each in members)
    ranked = [pair for members in found for pair in _ranked(members)]
    return tuple(member for _, member in sorted(ranked, key=lambda pair: -pair[0]))


def all_members(engine: str = AUTO, folder: Path | None = None) -> list[list[Member]]:
    """Of each network that `engine` (see `ENGINES`, or auto) has a file of, the largest first: the member in float, in
    INT8, and the quicker ones. folder: None for the shipped weights."""
    folder = folder or WEIGHTS
    suffixes = {kind.suffix for kind in ENGINES.values()}
    stems = {path.with_suffix("") for path in folder.iterdir() if path.suffix in suffixes}
    floats = sorted(
        (stem for stem in stems if not stem.name.endswith((INT8, INSTANCES))),
        key=lambda stem: (-_size(stem, engine), stem),
    )
    measured, found = accuracies(folder), []
    for network in floats:
        forms = [_found(stem, engine) for stem in (network, network.with_name(network.name + INT8)) if stem in stems]
        there = [form for form in forms if form is not None]
        members = [
            Member(*form, scale, twice=twice)
            for form in there
            for scale, twice in (SMALLER if form == there[-1] else WHOLE)
        ]
        found.append([replace(each, accuracy=measured.get(each.name)) for each in members])
    return found


def _ranked(members: list[Member]) -> list[tuple[float, Member]]:
    """Of one network's members, the slowest first, those that no quicker one clearly beats, each with the accuracy that
    it counts as."""
    kept, best = [], 0.0
    for member in reversed(members):
        accuracy = member.accuracy or 0.0
        if accuracy >= best - EVEN:
            best = max(best, accuracy)
            kept.append((best, member))
    return kept[::-1]


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
