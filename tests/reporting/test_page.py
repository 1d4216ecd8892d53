# SPDX-License-Identifier: Apache-2.0
"""Reports in a real browser: nothing fails, every picture is there, nothing is too wide or too small to read."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from perception.reporting import plots, plots_bars
from perception.reporting.dropout import Dropout
from perception.reporting.page import Figure, Page, Picture, Table, photograph

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="no Chromium or Chrome here")

PROBE = """<script>
window.failures = [];
window.onerror = (message) => { window.failures.push(String(message)); };
window.onload = () => {
  const sizes = [...document.querySelectorAll('main *')].filter(e => e.textContent.trim())
    .map(e => parseFloat(getComputedStyle(e).fontSize));
  parent.postMessage({failures: window.failures, inner: innerWidth, scroll: document.documentElement.scrollWidth,
    pictures: [...document.images].map(i => i.naturalWidth), smallest: Math.min(...sizes),
    shown: [...document.images].map(i => i.clientWidth), mute: [...document.images].filter(i => !i.alt).length}, '*');
};
</script>"""
"""A browser's window cannot be 400 pixels wide, but a frame in it can; it tells the page around it what it saw."""

OUTER = """<!DOCTYPE html><title>probe</title><pre id="seen"></pre>
<script>window.onmessage = (event) => { document.getElementById('seen').textContent = JSON.stringify(event.data); };
</script><iframe src="page.html" style="border:0;width:%dpx;height:3000px"></iframe>"""


def look(page: Path, width: int, folder: Path) -> dict[str, Any]:
    """What the browser makes of the page, `width` pixels wide."""
    folder.mkdir()
    text = page.read_text("utf-8").replace("<head>", f"<head>{PROBE}")
    (folder / "page.html").write_text(text, "utf-8")
    (folder / "outer.html").write_text(OUTER % width, "utf-8")
    printed, log = browse(folder / "outer.html", folder, "--window-size=1400,3200", "--dump-dom")
    found = re.search(r'<pre id="seen">(.+?)</pre>', printed, re.DOTALL)
    assert found, log
    seen: dict[str, Any] = json.loads(html.unescape(found[1]))
    return seen


def browse(page: Path, folder: Path, *options: str) -> tuple[str, str]:
    """What a browser without a window prints and logs when it opens the page."""
    command = [str(BROWSER), "--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder}/profile"]
    command += ["--timeout=20000", "--virtual-time-budget=10000", *options, page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    return done.stdout, done.stderr


def make_page() -> Page:
    """Every part that a report can have, with names as long as they get."""
    frames = [{"time_s": i / 10, "latency_ms": 40.0 + i, "iou": {"road": 0.9, "vehicle": None}} for i in range(9)]
    weights = [{"time_s": float(i), "rgb": 0.6, "lidar": 0.4} for i in range(3)]
    gaps = [Dropout("lidar", 0.5, 1.5)]
    bands = {"0–15 m": {"iou": {"road": 0.9, "vehicle": 0.5, "pedestrian": None}}}
    page = Page(
        "Perception report: a_drive_with_a_very_long_name_2011_09_26_drive_0005_sync", "Nine frames.", ["A note."]
    )
    page.tiles = [("answered", "9 / 10"), ("outside the network / network", "0.31")]
    page.plots = [
        Figure(plots.latency_plot(frames, {"p50": 44.0, "p95": 48.0}, 100.0), "latency"),
        Figure(plots.weights_plot(weights, gaps), "weights"),
        Figure(plots_bars.distance_plot(bands), "distance"),
        Figure(plots_bars.drops_plot({"superseded": 3}), "drops"),
    ]
    page.pictures = [photograph(Picture(np.full((375, 1242, 3), 90, np.uint8), "The worst frame <3>"))]
    page.tables = [Table("Wide", [("a row with a name", *["0.123"] * 12)], ["", *(f"column {i}" for i in range(12))])]
    page.provenance = {"weights sha256": "0" * 64, "cpu": "A processor with a name of many words × 64"}
    return page


@pytest.mark.parametrize("width", [1280, 400])
def test_a_report_is_readable(width: int, tmp_path: Path) -> None:
    make_page().write(tmp_path / "report.html")
    seen = look(tmp_path / "report.html", width, tmp_path / "browser")
    assert seen["failures"] == []
    assert seen["inner"] == width
    assert seen["scroll"] <= width
    assert len(seen["pictures"]) == 5
    assert min(seen["pictures"]) > 0
    assert min(seen["shown"]) > 0.8 * min(width, 420)
    assert seen["mute"] == 0
    assert seen["smallest"] >= 12


def test_what_is_on_the_screen_is_the_report(tmp_path: Path) -> None:
    make_page().write(tmp_path / "report.html")
    shot = tmp_path / "shot.png"
    _, log = browse(tmp_path / "report.html", tmp_path, "--window-size=1280,3200", f"--screenshot={shot}")
    assert shot.is_file(), log
    pixels = cv2.imread(str(shot)).astype(int)
    assert pixels.shape == (3200, 1280, 3)
    photograph_at = np.all(np.abs(pixels - 90) <= 1, axis=2)
    rows, columns = np.flatnonzero(photograph_at.mean(1) > 0.3), np.flatnonzero(photograph_at.mean(0) > 0.03)
    assert len(columns) / len(rows) == pytest.approx(1242 / 375, rel=0.05), "the photograph, and all of it"
    assert (np.ptp(pixels, axis=2) > 60).mean() > 0.005, "the plots, in colours"
