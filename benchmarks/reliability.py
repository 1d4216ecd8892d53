# SPDX-License-Identifier: Apache-2.0
"""Runs tests/faults strictly, on a machine that does nothing else, and writes what came of it into a document.

    python benchmarks/reliability.py out/faults.xml docs/reliability.md [SECONDS]

SECONDS: how long the drive is whose memory and open files are watched (default: 3600). Where out/faults.xml is younger
than a day it is read instead of run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from xml.etree import ElementTree

from tables import fill

from perception.benchmark.tables import Table

NAMES = ("faults", "totals")
WORDS = {
    "test_sensors": "sensors",
    "test_clocks": "clocks",
    "test_messages": "messages",
    "test_processes": "processes",
    "test_rigs": "several cameras",
    "test_start": "start",
}


def run(xml: Path, seconds: float) -> None:
    """Run the tests, one after the other; a failure is a row of the table, not an end."""
    xml.parent.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "PERCEPTION_STRICT": "1", "PERCEPTION_SOAK_S": str(seconds)}
    limit = f"--timeout={seconds + 300:.0f}"
    command = [sys.executable, "-m", "pytest", "tests/faults", "-q", limit, f"--junitxml={xml}"]
    subprocess.run(command, env=environment, check=False)


def tables(xml: Path) -> dict[str, Table]:
    """A row per fault, and what they add up to."""
    rows: list[tuple[str, ...]] = []
    total: defaultdict[str, float] = defaultdict(float)
    for case in ElementTree.parse(xml).getroot().iter("testcase"):
        found: defaultdict[str, float] = defaultdict(float)
        for each in case.iter("property"):
            name, value = each.get("name", ""), float(each.get("value", "0"))
            found[name] = max(found[name], value) if name == "recovery_s" else found[name] + value
        failed = case.find("failure") is not None or case.find("error") is not None
        rows.append(
            (
                WORDS.get(case.get("classname", "").rpartition(".")[2], "?"),
                case.get("name", "").removeprefix("test_").replace("_", " "),
                "no" if failed else "yes",
                f"{found['sent']:.0f}" if "sent" in found else "–",
                f"{found['lost']:.0f}" if "lost" in found else "–",
                f"{found['recovery_s']:.2f}" if "recovery_s" in found else "–",
            )
        )
        total["tried"] += 1
        total["survived"] += not failed
        total["sent"] += found["sent"]
        total["lost"] += found["lost"]
        total["slowest"] = max(total["slowest"], found["recovery_s"])
        for name in ("minutes", "memory_growth_mb", "files_growth"):
            if name in found:
                total[name] = found[name]
    totals = [
        ("faults tried", f"{total['tried']:.0f}"),
        ("survived", f"{total['survived']:.0f}"),
        ("frames that should have been answered", f"{total['sent']:.0f}"),
        ("of them lost", f"{total['lost']:.0f}"),
        ("slowest recovery, s", f"{total['slowest']:.2f}"),
        ("minutes of the long drive", f"{total['minutes']:.0f}"),
        ("growth of memory over the long drive, MB", f"{total['memory_growth_mb']:.1f}"),
        ("growth of open files", f"{total['files_growth']:.0f}"),
    ]
    return {
        "totals": Table("Totals", ("", "value"), totals),
        "faults": Table("Faults", ("of", "fault", "survived", "frames", "lost", "well again after, s"), rows),
    }


def main(arguments: list[str]) -> None:
    """Run, or read, and write the document."""
    xml, document = Path(arguments[0]), Path(arguments[1])
    if not (xml.is_file() and time.time() - xml.stat().st_mtime < 86400):
        run(xml, float(arguments[2]) if len(arguments) > 2 else 3600.0)
    made = tables(xml)
    document.write_text(fill(document.read_text("utf-8"), made, NAMES), "utf-8")
    print(made["totals"].markdown())


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(sys.argv[1:])
