# SPDX-License-Identifier: Apache-2.0
"""What docs/topics.md tells of the node's outputs."""

from __future__ import annotations

import re
from pathlib import Path

TOLD = Path(__file__).resolve().parents[3] / "docs/topics.md"


def told_outputs() -> dict[str, str]:
    """The type, without its package, of each output below the node's own name."""
    found = {}
    for row in TOLD.read_text("utf-8").partition("## Outputs")[2].partition("\n## ")[0].splitlines():
        names = re.findall(r"`~/([\w/]+)`", row.split("|")[1]) if row.startswith("|") else []
        kinds = [kind.rpartition("/")[2] for kind in re.findall(r"`([\w/]+)`", row.split("|")[2])] if names else []
        for place, name in enumerate(names):
            found[name] = kinds[place if len(kinds) == len(names) else 0]
    return found
