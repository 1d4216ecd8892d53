# SPDX-License-Identifier: Apache-2.0
"""Settings that say at once what they are not: a misspelt one would leave its default in silence."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from perception.errors import ModelError

WORDS = {float: "a number", int: "a whole number", bool: "True or False", str: "a name", type(None): "None"}
"""What is expected, by type."""


class Settings:
    """Base of frozen dataclasses whose names and types are checked when they are made.

    Raises ModelError for a name that there is not, with the nearest that there is, for one that is missing, and for a
    value of another type, with what was expected. A whole number is a number, a list may stand for a tuple.
    """

    def __new__(cls, *values: Any, **given: Any) -> Any:
        known = {each.name: each for each in fields(cls)}  # type: ignore[arg-type]
        refuse_unknown(given, cls.__name__, known)
        absent = [name for name in list(known)[len(values) :] if name not in given]
        needed = [name for name in absent if known[name].default is known[name].default_factory is MISSING]
        if needed and (values or given):  # copying and unpickling make an empty one first
            raise ModelError(f"{cls.__name__}: {needed[0]!r} is missing")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        for name, kind in get_type_hints(type(self)).items():
            _check(getattr(self, name), kind, f"{type(self).__name__}.{name}")


def refuse_unknown(found: Iterable[str], where: str, known: Iterable[str]) -> None:
    """Raises ModelError for the first name of `found` that is not `known`, with the nearest that is."""
    names = list(known)
    for name in found:
        if name not in names:
            raise ModelError(f"{where}: no setting is called {name!r}{nearest(name, names)}")


def nearest(name: str, known: Iterable[str]) -> str:
    """The end of a sentence: which of the names was meant, or all of them."""
    names = list(known)
    found = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    return f"; did you mean {found[0]!r}?" if found else f"; there are {', '.join(names)}"


def _check(value: Any, kind: Any, where: str) -> None:
    """Raises ModelError where `value` is not of the type `kind`."""
    origin, inner = get_origin(kind), get_args(kind)
    if kind is Any:
        return
    if origin in (Union, UnionType):
        others = [each for each in inner if each is not type(None)]
        if value is None and type(None) in inner:
            return
        if len(others) == 1:
            _check(value, others[0], where)
        elif not any(_is(value, each) for each in others):
            raise ModelError(f"{where}: expected {' or '.join(map(_words, others))}, got {value!r}")
    elif origin is tuple and isinstance(value, (tuple, list)) and (inner[-1] is ... or len(value) == len(inner)):
        for number, each in enumerate(value):
            _check(each, inner[0] if inner[-1] is ... else inner[number], f"{where}[{number}]")
    elif origin is not None and origin is not tuple and isinstance(value, Mapping):
        for name, each in value.items():
            _check(name, inner[0], f"{where}, the name {name!r}")
            _check(each, inner[1], f"{where}[{name!r}]")
    elif origin is not None or not _is(value, kind):
        raise ModelError(f"{where}: expected {_words(kind)}, got {value!r}")


def _is(value: Any, kind: type) -> bool:
    if kind in (int, float):
        whole = isinstance(value, int) and not isinstance(value, bool)
        return whole or (kind is float and isinstance(value, float) and math.isfinite(value))
    return isinstance(value, kind)


def _words(kind: Any) -> str:
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return " or ".join(map(_words, inner))
    if origin is None:
        return WORDS.get(kind, getattr(kind, "__name__", str(kind)))
    if origin is tuple:
        return f"several of {_words(inner[0])}" if inner[-1] is ... else f"({', '.join(map(_words, inner))})"
    return f"a dict of {_words(inner[1])} by name"
