# SPDX-License-Identifier: Apache-2.0
"""A recipe that is over soon: small crops, deterministic in single precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from perception.training.recipe import Recipe

SETTINGS: dict[str, Any] = dict(crop=(64, 64), batch_size=2, bf16=False)


def small(name: str = "scratch", **changes: Any) -> Recipe:
    """A shipped recipe on small crops, and with `changes`."""
    from perception.training.recipe import read_recipe

    return replace(read_recipe(name), **SETTINGS, **changes)


def write_small(path: Path) -> Path:
    """`small()` as a file for --recipe; the path."""
    path.write_text(
        "from dataclasses import replace\nfrom perception.training.recipe import read_recipe\n"
        f"recipe = replace(read_recipe('scratch'), **{SETTINGS!r})\n"
    )
    return path
