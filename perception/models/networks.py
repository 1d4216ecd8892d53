# SPDX-License-Identifier: Apache-2.0
"""Networks by name: each is an mmengine config (docs/extending.md)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from perception.errors import ModelError
from perception.paths import config_path, share
from perception.registry import Registry

NETWORKS: Registry[Callable[[], Path]] = Registry("network", "networks", ModelError)
"""Functions that return the path of each network's config, by name."""

_configs = share() / "configs"
for _path in sorted(_configs.glob("networks/**/*.py"), key=lambda path: (len(path.parts), path)):  # the zoo's last
    NETWORKS.add(_path.stem, partial(config_path, _path.relative_to(_configs).as_posix()))


def find_network(name: str | Path) -> Path:
    """The config of a network that is given by name, or by its path, which has a suffix.

    Raises ModelError for an unknown name.
    """
    path = Path(name)
    return path if path.suffix else NETWORKS.find(str(name))()
