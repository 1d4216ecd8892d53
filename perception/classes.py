# SPDX-License-Identifier: Apache-2.0
"""The classes that a network knows: one table of names, colours, and which labels of each data set each class takes.

`CLASSES` is the table of the shipped network: vehicle = car, truck, bus, train, motorcycle, bicycle; pedestrian =
person, rider. A network's config may add classes, or change these, by its `classes`; its weights and what is exported
of them say which they are, and everything else asks those (`Pipeline.classes`, `Prediction.classes`). This is the only
place that knows class ids.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from perception.errors import ModelError
from perception.settings import Settings, refuse_unknown

T = TypeVar("T")

BACKGROUND, ROAD, VEHICLE, PEDESTRIAN = range(4)
FIRST: tuple[str, ...] = ("background", "road", "vehicle", "pedestrian")
"""The first four of every table: geometry, simulation and checks of labels know what these are."""

UNLABELLED = 255

NO_OBJECT = 254
"""Truth that knows of neither vehicle nor pedestrian, but not whether it is road or background; never a prediction."""

UNKNOWN_LABELS: dict[str, tuple[int | str, ...]] = {
    "camvid": (10, 11),
    "cityscapes": (*range(7), 255),
    "cityscapes-small": (),
    "cityscapes-train-ids": (255,),
    "idd-lite": (255,),
    "kitti-boxes": ("Misc", "Cyclist", "DontCare"),
    "kitti-road": (),
    "nuscenes": (
        *("noise", "vehicle.ego", "static_object.bicycle_rack"),
        *("human.pedestrian.personal_mobility", "human.pedestrian.stroller", "human.pedestrian.wheelchair"),
    ),
    "penn-fudan": (),
    "simulated": (),
    "soft": (),
}
"""How data sets label, and which of their labels say nothing. What no class takes is background.

camvid: SegNet's 12 ids; 10 (bicyclist) is a person on a bicycle, two of our classes at once. cityscapes: labelIds,
which KITTI semantics shares; 0–6 are void there. cityscapes-train-ids: cityscapesscripts/helpers/labels.py. idd-lite:
level-1 ids; 0 is any drivable ground, 2 (living things) holds riders and animals, 3 has two-wheelers. kitti-boxes:
types of objects and tracklets; a cyclist's box holds a person and a bicycle. kitti-road, penn-fudan: 1 is the road, a
person. nuscenes: names of categories; racks hold bicycles, and prams, wheelchairs and the like hold people.
cityscapes-small, simulated: our own ids. soft: channels of soft labels.
"""

OWN_IDS = frozenset({"cityscapes-small", "simulated"})
"""Where what no class takes says nothing: the ids are ours."""

RESERVED = (
    "labels", "label_info", "confidence", "overlay", "points", "grid", "road_grid", "instances", "objects",
    "explanation", "unlabelled",
)  # fmt: skip
"""No names of classes, as a class's mask is a topic and a folder of its name."""

MOST = 200
"""Classes; the last of the 8-bit ids mean something else."""


@dataclass(frozen=True)
class SemanticClass(Settings):
    """A class. colour: RGB. mask: published as a mask of its own, and scored.

    takes: by the way of labelling (`UNKNOWN_LABELS`), the labels that are this class. within: which of the first four
    it is where it is not known by itself: data that `takes` does not name may call it so, and what that data calls so
    is neither learnt from nor scored; data that holds nothing of the class is named with ().
    """

    name: str
    colour: tuple[int, int, int]
    takes: Mapping[str, tuple[int | str, ...]] = field(default_factory=dict)
    within: str = "background"
    mask: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        where = f"class {self.name!r}"
        if not re.fullmatch(r"[a-z][a-z0-9_]*", self.name) or self.name in RESERVED:
            raise ModelError(f"{where}: expected small letters, digits and _, and none of {', '.join(RESERVED)}")
        if not all(0 <= value <= 255 for value in self.colour):
            raise ModelError(f"{where}: expected a colour of 0–255, got {self.colour!r}")
        refuse_unknown(self.takes, f"{where}, takes", UNKNOWN_LABELS)
        refuse_unknown([self.within], f"{where}, within", FIRST)
        # JSON has lists alone: the same class shall be equal.
        object.__setattr__(self, "colour", tuple(self.colour))
        object.__setattr__(self, "takes", {scheme: tuple(labels) for scheme, labels in self.takes.items()})


@dataclass(frozen=True)
class Classes:
    """A table of classes; a class's id is the number of its row. The first four are FIRST."""

    rows: tuple[SemanticClass, ...]

    def __len__(self) -> int:
        return len(self.rows)

    def extended(self, rows: Sequence[Mapping[str, Any]]) -> Classes:
        """With `rows`: arguments of `SemanticClass`, those of a name that there is to change that class.

        Raises ModelError for what cannot be, with what is expected.
        """
        made = {row.name: row for row in self.rows}
        for row in rows:
            if not isinstance(row, Mapping):
                raise ModelError(f"classes: expected a dict of each class, got {row!r}")
            known = made.get(row.get("name", ""))
            changed = replace(known, **row) if known else SemanticClass(**row)
            if known and changed.within != known.within:
                raise ModelError(f"class {changed.name!r}: it is within {known.within}")
            made[changed.name] = changed
        if len(made) > MOST:
            raise ModelError(f"classes: {len(made)}, expected at most {MOST}")
        return Classes(tuple(made.values()))

    @property
    def beyond(self) -> list[dict[str, Any]]:
        """The rows that `CLASSES` has not, as `extended` takes them, for JSON."""
        return [asdict(row) for row in self.rows if row not in CLASSES.rows]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """By class id."""
        return tuple(row.name for row in self.rows)

    @cached_property
    def foreground(self) -> dict[str, int]:
        """Ids by name of the classes that are published as masks of their own."""
        return {row.name: number for number, row in enumerate(self.rows) if row.mask}

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """(K, 3) RGB colours by class id."""
        return np.array([row.colour for row in self.rows], np.uint8)

    @cached_property
    def first(self) -> NDArray[np.uint8]:
        """(256,) which of the first four each class is within; the ids that are none stay."""
        table = np.arange(256, dtype=np.uint8)
        table[: len(self)] = [FIRST.index(row.within) for row in self.rows]
        return table

    def mapping(self, scheme: str) -> dict[int | str, int]:
        """Class ids by the labels of one way of labelling; 255 for those that say nothing, or not enough."""
        found: dict[int | str, int] = dict.fromkeys(UNKNOWN_LABELS[scheme], UNLABELLED)
        for number, row in enumerate(self.rows):
            found |= dict.fromkeys(row.takes.get(scheme, ()), number)
        unsure = self.unsure(scheme)
        return {label: UNLABELLED if number in unsure else number for label, number in found.items()}

    def unsure(self, scheme: str) -> frozenset[int]:
        """Of the first four, those that may hold a class which this way of labelling does not know by itself."""
        missing = (row for row in self.rows[len(FIRST) :] if scheme not in row.takes)
        return frozenset(FIRST.index(row.within) for row in missing)

    def table(self, scheme: str) -> NDArray[np.uint8]:
        """The same as (256,) class ids, for labels that are 8-bit ids."""
        nothing = scheme in OWN_IDS or BACKGROUND in self.unsure(scheme)
        table = np.full(256, UNLABELLED if nothing else BACKGROUND, np.uint8)
        for label, number in self.mapping(scheme).items():
            table[int(label)] = number
        return table

    def per_class(self, values: Sequence[T], where: str) -> tuple[T, ...]:
        """One value per class from as many, or from four: those of the others are of what they are within.

        Raises ModelError, which names `where`, for another number of values.
        """
        if len(values) == len(self):
            return tuple(values)
        if len(values) != len(FIRST):
            few = f"{len(FIRST)} or " if len(self) > len(FIRST) else ""
            raise ModelError(f"{where}: {len(values)} values, expected {few}{len(self)}: {', '.join(self.names)}")
        return (*values, *(values[FIRST.index(row.within)] for row in self.rows[len(FIRST) :]))

    def colourise(self, labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """(H, W) class ids → (H, W, 3) uint8 RGB; unlabelled pixels are black."""
        table = np.zeros((256, 3), np.uint8)
        table[: len(self)] = self.palette
        return table[labels]


CLASSES = Classes(
    (
        SemanticClass(
            "background",
            (70, 70, 70),
            {"cityscapes-small": (0,), "simulated": (0,), "soft": (0,)},
            within="background",
            mask=False,
        ),
        SemanticClass(
            "road",
            (128, 64, 128),
            {
                "camvid": (3,),
                "cityscapes": (7,),
                "cityscapes-small": (1,),
                "cityscapes-train-ids": (0,),
                "idd-lite": (0,),
                "kitti-road": (1,),
                "nuscenes": ("flat.driveable_surface",),
                "simulated": (1,),
                "soft": (1,),
            },
            within="road",
        ),
        SemanticClass(
            "vehicle",
            (30, 110, 255),
            {
                "camvid": (8,),
                "cityscapes": tuple(range(26, 34)),
                "cityscapes-small": (2,),
                "cityscapes-train-ids": tuple(range(13, 19)),
                "idd-lite": (3,),
                "kitti-boxes": ("Car", "Van", "Truck", "Tram"),
                "nuscenes": (
                    *("vehicle.bicycle", "vehicle.bus.bendy", "vehicle.bus.rigid", "vehicle.car"),
                    *("vehicle.construction", "vehicle.emergency.ambulance", "vehicle.emergency.police"),
                    *("vehicle.motorcycle", "vehicle.trailer", "vehicle.truck"),
                ),
                "simulated": (2,),
                "soft": (2,),
            },
            within="vehicle",
        ),
        SemanticClass(
            "pedestrian",
            (255, 40, 60),
            {
                "camvid": (9,),
                "cityscapes": (24, 25),
                "cityscapes-small": (3,),
                "cityscapes-train-ids": (11, 12),
                "idd-lite": (2,),
                "kitti-boxes": ("Pedestrian", "Person_sitting", "Person (sitting)"),
                "nuscenes": (
                    *("human.pedestrian.adult", "human.pedestrian.child"),
                    *("human.pedestrian.construction_worker", "human.pedestrian.police_officer"),
                ),
                "penn-fudan": (1,),
                "simulated": (3,),
                "soft": (3,),
            },
            within="pedestrian",
        ),
    )
)
"""The classes of the shipped network."""

CLASS_NAMES = CLASSES.names
"""Of the shipped network: names by class id."""

FOREGROUND = CLASSES.foreground
"""Of the shipped network: the classes that are published as masks of their own."""

PALETTE = CLASSES.palette
"""Of the shipped network: (4, 3) RGB colours by class id."""

CITYSCAPES_NOT_EVALUATED: tuple[int, ...] = (*range(7), 9, 10, 14, 15, 16, 18, 29, 30, 255)
"""labelIds that Cityscapes' and KITTI's evaluation leaves out, caravans, trailers and car parks among them."""

CITYSCAPES_REPRESENTATIVES: dict[int, int] = {BACKGROUND: 0, ROAD: 7, VEHICLE: 26, PEDESTRIAN: 24, UNLABELLED: 0}
"""The labelId that stands for each of the first four in a submission: unlabelled, road, car, person."""

ROAD_OR_NOT: dict[int, int] = {ROAD: ROAD, UNLABELLED: UNLABELLED}
"""Our classes where the truth knows of the road alone: everything else is background."""


def evaluated_table(classes: Classes = CLASSES) -> NDArray[np.uint8]:
    """(256,) Cityscapes' labelIds → class ids, 255 for what the benchmarks do not evaluate.

    What remains makes our road its class road, our vehicle its category vehicle, and our pedestrian its category human.
    """
    table = classes.table("cityscapes")
    table[list(CITYSCAPES_NOT_EVALUATED)] = UNLABELLED
    return table


def lookup_table(mapping: Mapping[int, int]) -> NDArray[np.uint8]:
    """(256,) uint8 table from one kind of ids to another; ids not in `mapping` are background."""
    table = np.full(256, BACKGROUND, np.uint8)
    for source, target in mapping.items():
        table[source] = target
    return table


def colourise(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`Classes.colourise` of the shipped network's classes."""
    return CLASSES.colourise(labels)
