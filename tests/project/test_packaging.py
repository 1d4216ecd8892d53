# SPDX-License-Identifier: Apache-2.0
"""What is installed is whole: the wheel, its ament side, the pins, and the arrows between the packages."""

from __future__ import annotations

import ast
import os
import re
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import perception

CHECKOUT = Path(__file__).resolve().parents[2]
NOT_SOURCE = (".*", "out", "build", "dist", "install", "log", "work_dirs", "*.egg-info", "__pycache__")
DATA = "multimodal_perception-{version}.data/data"


def files_below(folder: str) -> set[str]:
    return {
        path.relative_to(CHECKOUT).as_posix()
        for path in (CHECKOUT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy so that the checkout stays clean, without network."""
    folder = tmp_path_factory.mktemp("wheel")
    shutil.copytree(CHECKOUT, folder / "source", ignore=shutil.ignore_patterns(*NOT_SOURCE, "tests"), symlinks=True)
    pip("wheel", "--no-build-isolation", "-w", str(folder), str(folder / "source"))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def prefix(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel installed below a prefix of its own."""
    folder = tmp_path_factory.mktemp("prefix")
    pip("install", "--ignore-installed", "--no-warn-script-location", "--prefix", str(folder), str(wheel))
    return folder


def pip(command: str, *options: str) -> None:
    line = [sys.executable, "-m", "pip", command, "--quiet", "--no-deps", "--no-index", *options]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def installed_environment(prefix: Path) -> dict[str, str]:
    """An environment in which Python finds the installed package before the checkout, and ROS the prefix."""
    (packages,) = prefix.glob("lib/python3*/site-packages")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PYTHONPATH": str(packages), "AMENT_PREFIX_PATH": str(prefix), "PATH": path}


def run(command: list[str], prefix: Path, cwd: Path) -> str:
    environment = installed_environment(prefix)
    done = subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=environment, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_is_whole(wheel: Path) -> None:
    data = DATA.format(version=perception.__version__)
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {name for name in files_below("perception") if name.endswith(".py")}
    assert code <= names
    assert files_below("perception/weights") <= names
    assert {"perception/py.typed", "perception/ros/fastdds.xml"} <= names
    for name in files_below("configs") | files_below("launch"):
        assert f"{data}/share/multimodal_perception/{name}" in names
    assert f"{data}/share/ament_index/resource_index/packages/multimodal_perception" in names
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]


def test_the_ros_manifest_is_a_file_and_its_wrapper_runs(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    data = DATA.format(version=perception.__version__)
    manifest = ElementTree.fromstring(archive.read(f"{data}/share/multimodal_perception/package.xml"))
    assert manifest.findtext("name") == "multimodal_perception"
    assert manifest.findtext("version") == perception.__version__
    assert manifest.findtext("export/build_type") == "ament_python"
    for name in ("perception_node", "perception_replay"):
        wrapper = archive.getinfo(f"{data}/lib/multimodal_perception/{name}")
        assert (wrapper.external_attr >> 16) & stat.S_IXUSR


def test_installed_files_are_found_from_any_folder(prefix: Path, tmp_path: Path) -> None:
    code = (
        "from perception import paths; print(paths.config_path('node/default.yaml'));"
        "print(paths.launch_path('perception.launch.py')); print(paths.WEIGHTS)"
    )
    config, launch, weights = run([sys.executable, "-c", code], prefix, tmp_path).splitlines()
    share = prefix / "share/multimodal_perception"
    assert Path(config) == share / "configs/node/default.yaml"
    assert Path(launch) == share / "launch/perception.launch.py"
    assert prefix in Path(weights).parents


def test_the_installed_command_runs_from_any_folder(prefix: Path, tmp_path: Path) -> None:
    assert "perception <command>" in run([str(prefix / "bin/perception"), "--help"], prefix, tmp_path)


def test_ros2_run_and_launch_find_the_node(prefix: Path, tmp_path: Path) -> None:
    packages = pytest.importorskip("ament_index_python.packages", reason="ament_index_python is not installed")
    environment = installed_environment(prefix)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AMENT_PREFIX_PATH", environment["AMENT_PREFIX_PATH"])
        found = packages.get_package_prefix("multimodal_perception")
    for name in ("node", "replay"):
        wrapper = Path(found) / f"lib/multimodal_perception/perception_{name}"
        assert f"usage: perception {name}" in run([str(wrapper), "--help"], prefix, tmp_path)


def test_the_manifest_in_the_checkout_is_a_link() -> None:
    assert (CHECKOUT / "package.xml").is_symlink()
    assert os.readlink(CHECKOUT / "package.xml") == "ros_pkg.xml"


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_each_dependency_has_one_pin(python: str) -> None:
    environment = {**default_environment(), "python_version": python, "python_full_version": f"{python}.0"}
    lines = [line for line in (CHECKOUT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pins = [pin for pin in map(Requirement, lines) if pin.marker is None or pin.marker.evaluate(environment)]
    names = [canonicalize_name(pin.name) for pin in pins]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"==[^*]+", str(pin.specifier)) for pin in pins)
    assert {canonicalize_name(wanted.name) for wanted in requirements()} <= set(names)


def requirements() -> list[Requirement]:
    """Every dependency that setup.py names."""
    tree = ast.parse((CHECKOUT / "setup.py").read_text("utf-8"))
    lists = [
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
    ]
    return [Requirement(text) for names in lists for text in names]


def test_the_makefile_explains_itself() -> None:
    shown = subprocess.run(["make"], capture_output=True, text=True, cwd=CHECKOUT, timeout=30)
    for target in ("install", "demo", "test", "lint", "clean"):
        assert f"make {target} " in shown.stdout


def test_the_setup_names_a_python_that_will_not_do() -> None:
    environment = {**os.environ, "PYTHON": "python2.7"}
    setup = [str(CHECKOUT / "scripts/setup.sh"), "all"]
    done = subprocess.run(setup, capture_output=True, text=True, env=environment, timeout=30)
    assert done.returncode == 1
    assert done.stderr.startswith("setup: Python 3.10 to 3.13 is needed, and python2.7 is not one")
    assert done.stderr.count("\n") == 1


def test_the_arrows_of_the_design_hold() -> None:
    linter = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    checked = subprocess.run(linter, capture_output=True, text=True, cwd=CHECKOUT, timeout=120)
    assert checked.returncode == 0, checked.stdout


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = ("torch", "mmengine", "mmseg", "open3d", "matplotlib", "rclpy")
    code = f"import perception, sys; sys.exit(' '.join(m for m in {heavy!r} if m in sys.modules) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
