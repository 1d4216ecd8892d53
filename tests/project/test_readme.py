# SPDX-License-Identifier: Apache-2.0
"""README and documents are true: their commands parse, their Python runs, their links and figures are right."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from helpers import fleet

from perception.cli.main import command_names, make_parser
from perception.datasets.registry import open_dataset

CHECKOUT = Path(__file__).resolve().parents[2]
README = CHECKOUT / "README.md"
DOCUMENTS = [README, CHECKOUT / "CONTRIBUTING.md", *sorted((CHECKOUT / "docs").glob("*.md"))]

NEEDS_ROS_2_INSTALLED = "needs an installed ROS 2, which this machine may lack"
IS_THE_DEMO = "minutes long; its parts have tests of their own"
IS_THIS = "runs this test"
NOT_RUN = {
    "make demo": IS_THE_DEMO,
    "make test": IS_THIS,
    "source /opt/ros/jazzy/setup.bash": NEEDS_ROS_2_INSTALLED,
    "colcon build": NEEDS_ROS_2_INSTALLED,
    "source install/setup.bash": NEEDS_ROS_2_INSTALLED,
    "ros2 launch multimodal_perception perception.launch.py topics:=kitti2bag": NEEDS_ROS_2_INSTALLED,
    "ros2 run multimodal_perception perception_node --ros-args -r image:=/camera/image_rect_color": (
        NEEDS_ROS_2_INSTALLED
    ),
    "scripts/setup.sh ros": "has installed what runs this test",
    "source .venv/bin/activate": "a shell's own",
    "pip install 'multimodal_perception[s3]'": "installs from an index, which a test must not need",
    'ls -d /fleet/2026-11-*/* > fleet.txt                     # one recording a line; "#" begins a remark': (
        "lists a fleet of the reader's own"
    ),
}
"""Commands that no test here runs, and why."""

RUN_WHOLE = ("gallery.md", "extending.md")
"""Every command of theirs is run, by test_gallery and test_extending."""


def blocks(language: str) -> list[tuple[str, str]]:
    """(document's name, text) of every fenced block in that language."""
    fence = re.compile(rf"^```{language}\n(.*?)^```", re.MULTILINE | re.DOTALL)
    return [(path.name, text) for path in DOCUMENTS for text in fence.findall(path.read_text("utf-8"))]


def shell_lines() -> list[str]:
    texts = [text for name, text in blocks("sh") if name not in RUN_WHOLE]
    lines = [line for text in texts for line in text.replace("\\\n", "").splitlines()]
    return [line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#")]


PERCEPTION_LINES = sorted({line for line in shell_lines() if line.startswith("perception ")})


def test_every_command_is_checked_or_says_why_not() -> None:
    unknown = [line for line in shell_lines() if line not in PERCEPTION_LINES and line not in NOT_RUN]
    assert not unknown
    assert not set(NOT_RUN) - set(shell_lines()), "no document has these any more"


@pytest.mark.parametrize("line", PERCEPTION_LINES)
def test_the_command_parses(line: str) -> None:
    """The real parser takes the line: the command, its options and its choices exist."""
    name, *arguments = shlex.split(line, comments=True)[1:]
    assert name in command_names()
    if "--ros-args" in arguments:
        arguments = arguments[: arguments.index("--ros-args")]
    make_parser(name).parse_args(arguments)


def test_the_simulate_and_evaluate_lines_run(tmp_path: Path) -> None:
    """The two lines as they stand, but for a shorter and smaller drive."""
    simulate, evaluate = (
        next(line for line in PERCEPTION_LINES if line.startswith(start))
        for start in ("perception simulate", "perception eval simulated")
    )
    small = f"{simulate.replace('--frames 20', '--frames 2')} --scale 0.25 --workers 1"
    for line in (small, evaluate):
        command = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150)
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "out/scores.json").stat().st_size > 0


def test_the_select_line_runs(tmp_path: Path) -> None:
    """The line as it stands, on the labels of two short drives; the network's masks come back from CVAT's file."""
    for name in ("a", "b"):
        fleet.write_labelled(tmp_path, name, 4)
    (tmp_path / "out").mkdir()
    (tmp_path / "labels").rename(tmp_path / "out/fleet")
    line = next(line for line in PERCEPTION_LINES if line.startswith("perception select"))
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(line)], cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "out/select"
    with zipfile.ZipFile(folder / "cvat.zip") as archive:
        archive.extract("annotations.xml", folder)
    samples = open_dataset("cvat", folder)
    assert {path.stem for path in (folder / "image").iterdir()} == {sample.name for sample in samples}
    assert all(sample.labels is not None for sample in samples)


@pytest.mark.parametrize(("document", "code"), blocks("python"))
def test_the_python_runs(document: str, code: str, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{document}: {done.stderr}"


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_links_lead_somewhere(document: Path) -> None:
    targets = re.findall(r"\]\(([^)#]+)[^)]*\)", document.read_text("utf-8"))
    broken = [t for t in targets if not t.startswith("http") and not (document.parent / t).exists()]
    assert not broken


def test_the_readme_is_a_screen_and_a_half_with_figures_of_the_model_card() -> None:
    text = README.read_text("utf-8")
    assert text.count("\n") <= 90
    figures = re.findall(r"\b0\.\d{3}\b", text)
    card = (CHECKOUT / "perception/weights/README.md").read_text("utf-8")
    assert figures
    assert [figure for figure in figures if figure not in card] == []


def test_the_site_builds(tmp_path: Path) -> None:
    """Every page is in the navigation, every link and anchor leads somewhere, and nothing is fetched from the net."""
    pytest.importorskip("mkdocs", reason="mkdocs is not installed (extra docs)")
    pytest.importorskip("mkdocstrings", reason="mkdocstrings is not installed (extra docs)")
    build = ["mkdocs", "build", "--strict", "-f", "docs/site/mkdocs.yml", "-d", str(tmp_path / "site")]
    done = subprocess.run([sys.executable, "-m", *build], cwd=CHECKOUT, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr
    assert "lidar_to_camera" in (tmp_path / "site/api/pipeline.html").read_text("utf-8")
    for page in (tmp_path / "site").rglob("*.html"):
        fetched = re.findall(
            r'<(?:script|img|link rel="stylesheet")[^>]*(?:src|href)="(https?:[^"]+)"', page.read_text()
        )
        assert not fetched, page.name
