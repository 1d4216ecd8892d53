# SPDX-License-Identifier: Apache-2.0
"""Where compiled networks are kept between starts."""

from __future__ import annotations

import os
from pathlib import Path

MAX_FILES = 8
"""The number of compiled networks that are kept, 15 MB each; the oldest are deleted first."""


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
