# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import copy
import pickle
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from perception.errors import ModelError
from perception.settings import Settings


@dataclass(frozen=True)
class Inner(Settings):
    share: float = 0.5


@dataclass(frozen=True)
class Outer(Settings):
    rate: float
    steps: int = 3
    size: tuple[int, int] = (1, 2)
    names: tuple[str, ...] = ()
    inner: Inner | None = None
    table: Mapping[str, Inner] | None = None
    fast: bool = False
    anything: Any = None


def test_what_fits_is_taken_and_can_be_copied() -> None:
    made = Outer(1, 4, [3, 4], ("a",), Inner(1), {"x": Inner()}, True, object)
    assert made.inner == Inner(1.0)
    assert replace(made, rate=2.5).rate == 2.5
    assert copy.deepcopy(Outer(1.0)) == pickle.loads(pickle.dumps(Outer(1.0))) == Outer(1.0)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (dict(rate=1.0, stepz=1), "Outer: no setting is called 'stepz'; did you mean 'steps'?"),
        (dict(rate=1.0, zzz=1), "Outer: no setting is called 'zzz'; there are rate, steps, size, names, inner, table,"),
        (dict(steps=1), "Outer: 'rate' is missing"),
        (dict(rate="fast"), "Outer.rate: expected a number, got 'fast'"),
        (dict(rate=float("nan")), "Outer.rate: expected a number, got nan"),
        (dict(rate=True), "Outer.rate: expected a number, got True"),
        (dict(rate=1.0, steps=2.0), "Outer.steps: expected a whole number, got 2.0"),
        (dict(rate=1.0, fast=1), "Outer.fast: expected True or False, got 1"),
        (dict(rate=1.0, size=3), r"Outer.size: expected \(a whole number, a whole number\), got 3"),
        (dict(rate=1.0, size=(3, 4, 5)), r"Outer.size: expected \(a whole number, a whole number\), got \(3, 4, 5\)"),
        (dict(rate=1.0, size=(3, 4.5)), r"Outer.size\[1\]: expected a whole number, got 4.5"),
        (dict(rate=1.0, names="abc"), "Outer.names: expected several of a name, got 'abc'"),
        (dict(rate=1.0, inner=dict(share=1)), "Outer.inner: expected Inner, got {'share': 1}"),
        (dict(rate=1.0, table=[]), r"Outer.table: expected a dict of Inner by name, got \[\]"),
        (dict(rate=1.0, table={"x": 1}), r"Outer.table\['x'\]: expected Inner, got 1"),
        (dict(rate=1.0, table={1: Inner()}), "Outer.table, the name 1: expected a name, got 1"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said):
        Outer(**settings)
    if "rate" in settings:
        with pytest.raises(ModelError, match=said):
            replace(Outer(1.0), **settings)
