# SPDX-License-Identifier: Apache-2.0
"""Where the files that ship beside the code are: configs, launch files and weights.

In a checkout (also `pip install -e` and `colcon build --symlink-install`) configs and launch files lie beside the
package. Installed, by pip or colcon, they lie in `<prefix>/share/multimodal_perception`. Weights are package data.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from pathlib import Path

from perception.errors import ModelError

DISTRIBUTION = "multimodal_perception"
"""The name that pip and ROS know the project by."""

PACKAGE = Path(__file__).resolve().parent
WEIGHTS = PACKAGE / "weights"
"""Folder of the shipped weights."""


@lru_cache(maxsize=1)
def share() -> Path:
    """The folder that holds `configs/` and `launch/`.

    Raises ModelError where neither a checkout nor an installed share folder is found.
    """
    checkout = PACKAGE.parent
    if (checkout / "ros_pkg.xml").is_file() and (checkout / "configs").is_dir():
        return checkout
    for prefix in PACKAGE.parents:  # site-packages lies at different depths below pip's, Debian's and colcon's prefixes
        folder = prefix / "share" / DISTRIBUTION
        if (folder / "configs").is_dir():
            return folder
    raise ModelError(
        f"configs not found beside {PACKAGE} nor in a share/{DISTRIBUTION} above it: install the package anew"
    )


def config_path(name: str) -> Path:
    """The shipped config `name`, relative to `configs/`, e.g. "node/default.yaml".

    Raises ModelError if there is none, naming the nearest.
    """
    return _shipped(share() / "configs", name)


def launch_path(name: str) -> Path:
    """The shipped launch file `name`, e.g. "perception.launch.py". Raises ModelError if there is none."""
    return _shipped(share() / "launch", name)


def weights_path(name: str) -> Path:
    """The shipped weights file `name`. Raises ModelError if there is none, naming the nearest."""
    return _shipped(WEIGHTS, name)


def _shipped(folder: Path, name: str) -> Path:
    path = folder / name
    if path.is_file():
        return path
    kind = folder / Path(name).parts[0] if (folder / Path(name).parts[0]).is_dir() else folder
    names = sorted(p.relative_to(folder).as_posix() for p in kind.rglob("*") if p.is_file() and p.suffix != ".pyc")
    nearest = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
    hint = f"did you mean {nearest[0]}?" if nearest else f"there are: {', '.join(names) or 'none'}"
    raise ModelError(f"{path}: no such file; {hint}")
