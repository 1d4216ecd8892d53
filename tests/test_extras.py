# SPDX-License-Identifier: Apache-2.0
"""A vehicle needs what the extra `node` names and nothing else: no simulator, no plots, no training."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytest.importorskip("rclpy")

from perception.ros.node_process import private_network

CHECKOUT = Path(__file__).resolve().parents[1]
SAME_CV2 = {"opencv-python", "opencv-python-headless"}
"""Two builds of one package: mmcv asks for the one, we for the other."""

DRIVE = """
import importlib.abc, json, sys

class Fence(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in foreign:
            raise ModuleNotFoundError(f"No module named {name!r}: fenced off", name=name)

foreign = set(json.loads(sys.argv[1]))
sys.meta_path.insert(0, Fence())

import numpy as np
import rclpy
from rclpy.lifecycle import TransitionCallbackReturn

import perception.labelling.job, perception.labelling.video, perception.ros.watch.audience, perception.bags.kitti.bag
import perception.ros.main, perception.ros.replay, perception.bags.sources
from perception import CameraModel, Frame, Pipeline
from perception.ros.node import PerceptionNode

rclpy.init()
node = PerceptionNode()
for step in (node.trigger_configure, node.trigger_activate, node.trigger_deactivate, node.trigger_cleanup):
    assert step() == TransitionCallbackReturn.SUCCESS, node.failure
camera = CameraModel(np.array([[90.0, 0, 80], [0, 90, 40], [0, 0, 1]]), 160, 80)
noise = np.random.default_rng(0)
points = noise.uniform((3, -5, -2, 0), (40, 5, 1, 1), (500, 4)).astype(np.float32)
mount = np.array([[0, -1, 0, 0], [0, 0, -1, 0], [1, 0, 0, 0], [0, 0, 0, 1.0]])
rgb, infrared = noise.integers(0, 255, (80, 160, 3), np.uint8), noise.integers(0, 255, (80, 160), np.uint8)
depth = noise.uniform(2, 40, (80, 160)).astype(np.float32)
frame = Frame(0, rgb, depth, infrared, points, camera, mount)
assert Pipeline.load()(frame).labels.shape == (80, 160)
node.destroy_node()
rclpy.shutdown()
"""


def closure(names: list[str]) -> set[str]:
    """The distributions that the requirements ask for, and those ask for, and so on, of what is installed."""
    waiting, found = list(map(Requirement, names)), set[str]()
    while waiting:
        name = canonicalize_name(waiting.pop().name)
        if name in found:
            continue
        found |= SAME_CV2 if name in SAME_CV2 else {name}
        for distribution in {name} | (SAME_CV2 if name in SAME_CV2 else set()):
            try:
                wanted = importlib.metadata.requires(distribution) or []
            except importlib.metadata.PackageNotFoundError:
                continue
            needs = map(Requirement, wanted)
            waiting += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": ""})]
    return found


def lists() -> dict[str, list[str]]:
    """The lists of requirements in setup.py, by their name there."""
    body = ast.parse((CHECKOUT / "setup.py").read_text("utf-8")).body
    named = [node for node in body if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in named if isinstance(node.targets[0], ast.Name)}


def test_the_node_runs_with_what_its_extra_names() -> None:
    wanted = closure([*lists()["RUNTIME"], *lists()["ROS"]])
    owners = importlib.metadata.packages_distributions()
    own = {"perception", "multimodal-perception"}
    inside = {
        module for module, names in owners.items() if {canonicalize_name(name) for name in names} & (wanted | own)
    }
    foreign = sorted(set(owners) - inside - set(sys.stdlib_module_names))
    assert {"open3d", "matplotlib"} <= set(foreign)
    line = [sys.executable, "-c", DRIVE, json.dumps(foreign)]
    with private_network():
        done = subprocess.run(line, capture_output=True, text=True, timeout=120, cwd=CHECKOUT)
    assert done.returncode == 0, done.stderr


def test_the_simulator_is_an_extra_of_its_own() -> None:
    named = lists()
    assert named["SIMULATOR"] == ["open3d-cpu"]
    small = closure([*named["RUNTIME"], *named["ROS"]])
    assert not small & {"open3d-cpu", "matplotlib", "dash", "torch", "jedi"}
