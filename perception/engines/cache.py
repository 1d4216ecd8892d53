# SPDX-License-Identifier: Apache-2.0
"""Where compiled networks are kept from one start to the next."""

from __future__ import annotations

import os
from pathlib import Path

MAX_FILES = 8
"""Compiled networks that are kept, 15 MB each; the oldest go first."""


def compiled_cache() -> Path | None:
    """The user's folder of compiled networks, tidied up; None where there is none and none can be made.

    $XDG_CACHE_HOME/multimodal_perception/compiled, with ~/.cache where that is not set.
    """
    try:
        home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
        folder = Path(home) / "multimodal_perception" / "compiled"
        folder.mkdir(parents=True, exist_ok=True)
        files = sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
        for path in files[MAX_FILES:]:
            path.unlink(missing_ok=True)
    except (OSError, RuntimeError):  # a read-only home, or none; another process that tidies up
        return None
    return folder if os.access(folder, os.W_OK) else None
