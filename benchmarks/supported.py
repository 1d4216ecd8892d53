# SPDX-License-Identifier: Apache-2.0
"""Asks the package index whether every extra of setup.py can be installed from wheels alone, with the pins of
constraints.txt, on each supported Python and processor.

    python benchmarks/supported.py docs/supported.md

Needs uv (`pip install uv`), which resolves for a Python and a processor that are not here; nothing is installed. Exit
status 1 where Linux on x86-64 lacks something.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from distutils.core import run_setup
from pathlib import Path
from typing import Any

import setuptools  # noqa: F401 (brings distutils where Python has none)
from tables import fill

from perception.benchmark.tables import Table

CHECKOUT = Path(__file__).resolve().parent.parent
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
PROCESSORS = {"x86-64": "x86_64-manylinux_2_35", "ARM64": "aarch64-manylinux_2_35"}
"""Platforms of uv: glibc 2.35 is that of Ubuntu 22.04, the oldest with a supported Python."""

PURE = ("empy", "onedl-mmcv", "onedl-mmsegmentation")
"""Come as source distributions alone, of Python alone: they install everywhere."""


def wanted() -> dict[str, list[str]]:
    """The requirements of the package itself and of every extra that is not made of others."""
    package: Any = run_setup(str(CHECKOUT / "setup.py"), stop_after="init")
    extras = {name: each for name, each in package.extras_require.items() if name not in ("all", "ros")}
    return {"the package": package.install_requires, **extras}


def lacking(requirements: list[str], python: str, platform: str) -> str:
    """What uv says has no wheel that fits, or nothing."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as file:
        file.write("\n".join(requirements))
        file.flush()
        command = ["uv", "pip", "compile", file.name, "--python-version", python, "--python-platform", platform]
        command += ["--only-binary", ":all:", "--quiet"]
        command += [word for name in PURE for word in ("--no-binary", name)]
        command += ["--constraint", str(CHECKOUT / "constraints.txt")]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tempfile.gettempdir())
    return "" if done.returncode == 0 else " ".join(done.stderr.split()) or "uv says nothing"


def main(document: Path) -> int:
    """Prints what is missing and writes the table."""
    rows, broken = [], 0
    for name, requirements in wanted().items():
        row = [name]
        for processor, platform in PROCESSORS.items():
            for python in PYTHONS:
                why = lacking(requirements, python, platform)
                row.append("no" if why else "yes")
                broken |= bool(why) and processor == "x86-64"
                if why:
                    print(f"{name}, {processor}, Python {python}: {why}", flush=True)
        rows.append(row)
    header = ["extra", *(f"{processor}, {python}" for processor in PROCESSORS for python in PYTHONS)]
    made = Table("Wheels", header, rows)
    print(made.markdown())
    document.write_text(fill(document.read_text("utf-8"), {"supported": made}, ["supported"]), "utf-8")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
