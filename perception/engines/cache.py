# SPDX-License-Identifier: Apache-2.0
"""Where compiled networks are kept between starts."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from pathlib import Path

from perception.disk import write_json
from perception.errors import DataError

MAX_FILES = 8
"""The number of compiled networks that are kept, 15 MB each; the oldest are deleted first."""

MAX_KEPT = 100
"""Values in a file of them; the oldest go first."""


class Kept:
    """A JSON file of values by name beside the folder of compiled networks; nothing is kept where there is none.

    folder: that of compiled networks; None for the user's.
    """

    def __init__(self, file: str, folder: Path | None = None) -> None:
        cache = folder or compiled_cache()
        self._path = cache.parent / file if cache else None

    def get(self, name: str) -> object:
        """The value; None where there is none."""
        return self._read().get(name)

    def put(self, name: str, value: object) -> None:
        """Keep a value, as the newest one."""
        if self._path is None:
            return
        kept = {other: each for other, each in self._read().items() if other != name} | {name: value}
        with suppress(OSError, DataError):  # a full disk: it is found out again
            write_json(self._path, dict(list(kept.items())[-MAX_KEPT:]))

    def _read(self) -> dict[str, object]:
        try:
            content = json.loads(self._path.read_text("utf-8")) if self._path else {}
        except (OSError, ValueError):
            return {}
        return content if isinstance(content, dict) else {}


def compiled_cache() -> Path | None:
    """The user's folder of compiled networks, without the oldest files; None if it cannot be created.

    $XDG_CACHE_HOME/multimodal_perception/compiled, or below ~/.cache if that is not set.
    """
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "multimodal_perception" / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[MAX_FILES:]:
            path.unlink(missing_ok=True)
    except (OSError, RuntimeError):  # a read-only home, or none; another process that deletes files
        return None
    return folder if os.access(folder, os.W_OK) else None
