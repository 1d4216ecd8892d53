# SPDX-License-Identifier: Apache-2.0
"""The commands of the tutorials, run one after the other as a reader would."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("rclpy")
pytest.importorskip("mmseg")

from helpers import rigs

from perception.ros.node_process import private_network

TUTORIALS = sorted((Path(__file__).resolve().parents[2] / "docs/tutorials").glob("*.md"))
OWN_BAGS = {"own-sensors": {"lidar_bag": rigs.lidar, "stereo_bag": rigs.stereo, "thermal_bag": rigs.thermal}}
"""What stands for the reader's own, by document."""

FOR_EVER = re.compile(r"^perception (node|replay\b.* --loop)")
"""Commands that a reader ends by hand."""


def commands(document: Path) -> list[str]:
    """The shell commands in their order; here-documents are one."""
    text = "".join(re.findall(r"^```sh\n(.*?)^```", document.read_text("utf-8"), re.MULTILINE | re.DOTALL))
    found, lines = list[str](), iter(text.splitlines())
    for line in lines:
        if line.endswith("<<'END'"):
            line = "\n".join([line, *iter(lambda: next(lines), "END"), "END"])
        if line.strip():
            found.append(line)
    return found


@contextmanager
def running(line: str, folder: Path) -> Iterator[None]:
    """A command in the background, ended by Ctrl-C at last."""
    log = folder / "background.log"
    with log.open("ab") as output:
        process = subprocess.Popen(["bash", "-c", f"exec {line}"], cwd=folder, stdout=output, stderr=subprocess.STDOUT)
    time.sleep(6)
    assert process.poll() is None, log.read_text()
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        code = process.wait(30)
    assert code == 0, log.read_text()


@pytest.mark.parametrize("document", TUTORIALS, ids=lambda path: path.stem)
def test_every_command_runs(document: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    lines = commands(document)
    assert lines
    for bag, rig in OWN_BAGS.get(document.stem, {}).items():
        rigs.write(tmp_path / bag, rig)
    with private_network(), ExitStack() as background:
        for line in lines:
            if FOR_EVER.match(line):
                background.enter_context(running(line, tmp_path))
                continue
            done = subprocess.run(["bash", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=250)
            assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"


def test_each_leads_to_the_next() -> None:
    for document in TUTORIALS:
        for target in re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text("utf-8")):
            assert (document.parent / target).exists(), (document.name, target)
