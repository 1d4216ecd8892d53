# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of a bench.json into a Markdown document, between `<!-- table: name -->` and `<!-- end -->`.

    python benchmarks/tables.py out/bench/bench.json docs/performance.md

A table that the report has no figures for stays as it is; a marker of an unknown name is an error.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

from perception.benchmark.tables import NAMES, Table, tables

ROOFLINE = tuple(f"roofline_{name}" for name in ("machine", "sum", "parts", "layers", "avx2_sum", "avx2_parts"))
OTHERS = ("family", "gpu", "precisions", "reshape", "search", *ROOFLINE)
"""Tables that the scripts of those names make; those of the roofline are made by layers.py."""

SCALE = ("scaling", "gradients", "fleet_cost", "fleet_growth", "fleet_sparse", "rig", "rig_points")
"""Tables of docs/scale.md, which scaling.py, fleet.py and rig.py make."""

BLOCK = re.compile(r"(?<=<!-- table: )(\w+) -->\n.*?(?=<!-- end -->)", re.DOTALL)


def fill(document: str, made: dict[str, Table], known: Sequence[str] = (*NAMES, *OTHERS)) -> str:
    """The document with each marked block replaced by its table, or left where that is not among `made`.

    Raises ValueError for names that are not `known`.
    """

    def block(match: re.Match[str]) -> str:
        name = match[1]
        if name not in known:
            raise ValueError(f"no table {name!r}; there are {', '.join(known)}")
        return f"{name} -->\n{made[name].markdown()}\n" if name in made else match[0]

    return BLOCK.sub(block, document)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    report, path = Path(sys.argv[1]), Path(sys.argv[2])
    path.write_text(fill(path.read_text("utf-8"), tables(json.loads(report.read_text("utf-8")))), "utf-8")
