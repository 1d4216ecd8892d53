# SPDX-License-Identifier: Apache-2.0
"""Things that have a name, and how a program gets more of them without a change here (docs/extending.md).

A module registers what it holds when it is imported. It is imported because `--import` or the node's parameter
`imports` names it, or because an installed package has an entry point of a group `multimodal_perception.<what>` that
names it. Entry points are loaded when somebody asks a registry for a name.
"""

from __future__ import annotations

import difflib
import importlib
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib.metadata import entry_points
from typing import TypeVar

from perception.errors import PerceptionError

GROUPS = ("datasets", "sensors", "networks", "engines", "fusions", "reports")
"""Of entry points, behind "multimodal_perception."."""

IMPORTS = "PERCEPTION_IMPORTS"
"""The environment's variable that names modules to import, with commas: processes that we start have it too."""

T = TypeVar("T")
_log = logging.getLogger(__name__)
_loaded: set[str] = set()


class Registry(Mapping[str, T]):
    """Things of one kind by name, in the order in which they came: ours first, then what was imported.

    kind: for people, such as "engine". group: one of GROUPS. error: what `find` and `add` raise.
    """

    def __init__(self, kind: str, group: str, error: type[PerceptionError]) -> None:
        self.kind, self._group, self._error = kind, group, error
        self._things: dict[str, T] = {}

    def add(self, name: str, thing: T) -> None:
        """Raises the registry's error for a name that is taken."""
        if name in self._things:
            raise self._error(f"{self.kind} {name!r} is there already: choose another name")
        self._things[name] = thing

    def register(self, name: str) -> Callable[[T], T]:
        """`add` as a decorator. Raises as `add` does."""

        def decorate(thing: T) -> T:
            self.add(name, thing)
            return thing

        return decorate

    def find(self, name: str) -> T:
        """The thing of that name. Raises the registry's error, with the names that there are and the nearest."""
        if name not in self:
            raise self._error(unknown(self.kind, name, self))
        return self[name]

    def so_far(self) -> tuple[str, ...]:
        """The names that are there now; nothing is imported for them."""
        return tuple(self._things)

    def __getitem__(self, name: str) -> T:
        load(self._group)
        return self._things[name]

    def __iter__(self) -> Iterator[str]:
        load(self._group)
        return iter(tuple(self._things))

    def __len__(self) -> int:
        load(self._group)
        return len(self._things)


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """What is said of a name that there is not: the nearest, and all that there are."""
    names = list(known)
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    meant = f"did you mean {nearest[0]!r}? There are" if nearest else "there are"
    return f"no {kind} is called {name!r}; {meant} {', '.join(names)}"


def load(group: str) -> None:
    """Import what IMPORTS names and, once, what the entry points of `group` do; their modules register what they hold.

    Raises PerceptionError as `import_modules` does. An entry point that cannot be loaded is left out with a word: who
    installed it may not be who runs this.
    """
    import_modules(_given())
    if group in _loaded:
        return
    _loaded.add(group)
    for point in entry_points(group=f"multimodal_perception.{group}"):
        try:
            point.load()
        except Exception as error:  # it is anybody's code
            where = f"{point.dist.name if point.dist else 'a package'}: its entry point {point.name} of {point.group}"
            _log.warning("%s, %s, cannot be loaded and is left out: %s", where, point.value, error)


def import_modules(names: Iterable[str]) -> None:
    """Import these modules, from wherever Python looks or from the working folder; processes started later do so too.

    Raises PerceptionError for one that cannot be imported.
    """
    for name in names:
        if os.getcwd() not in sys.path:
            sys.path.append(os.getcwd())  # behind everything else: a types.py there must not hide Python's
        try:
            importlib.import_module(name)
        except Exception as error:  # it is anybody's code
            raise PerceptionError(
                f"module {name!r}, which --import, the parameter imports or {IMPORTS} names, cannot be imported: "
                f"{error}; it was looked for on PYTHONPATH and in {os.getcwd()}"
            ) from error
        os.environ[IMPORTS] = ",".join(dict.fromkeys((*_given(), name)))


def _given() -> list[str]:
    return [name for name in os.environ.get(IMPORTS, "").split(",") if name]
