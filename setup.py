# SPDX-License-Identifier: Apache-2.0
"""One package for pip, colcon and launch: the Python package `perception` and the ament package around it."""

from __future__ import annotations

import re
from pathlib import Path

from setuptools import find_packages, setup

NAME = "multimodal_perception"
HERE = Path(__file__).resolve().parent
SHARE = f"share/{NAME}"

RUNTIME = [  # what a vehicle needs, with its own ROS 2 or with ROS below, and nothing else
    "numpy",
    "opencv-python-headless",
    "openvino",
    "pillow",
    "PyYAML",
    "rich",
    "rosbags",
    "threadpoolctl",
]
ROS = [  # where ROS 2 is installed, it brings these itself; messages that only a replayed bag may hold are among them
    "ros-jazzy-rclpy",
    "ros-jazzy-rmw-fastrtps-cpp",
    "ros-jazzy-sensor-msgs",
    "ros-diagnostic-msgs",
    "ros-geometry-msgs",
    "ros-lifecycle-msgs",
    "ros-nav-msgs",
    "ros-std-srvs",
    "ros-visualization-msgs",
]
SIMULATOR = ["open3d-cpu"]  # half a gigabyte with what it asks for
REPORT = ["matplotlib"]
ONNX = ["onnx", "onnxruntime"]
INT8 = ["nncf"]
LAS = ["laspy"]
RAY = ["ray"]  # 250 MB installed: for `perception label` on a cluster alone, so not in "all"
S3 = ["s3fs"]
GS = ["gcsfs"]
FOXGLOVE = ["foxglove-sdk"]
TRACK = ["trackers"]  # numbers of instances that stay the same over frames
VIEW = ["rerun-sdk"]  # the viewer is in it: 0.7 GB installed, with pyarrow, so not in "all" either
TRAIN = ["onedl-mmcv", "onedl-mmengine", "onedl-mmsegmentation", "safetensors", "torch==2.13.0"]
MASK_RCNN = ["torchvision"]  # its release must be that of torch
YOLO = ["ultralytics"]  # AGPL-3.0, so not in "all": nothing here imports it unless its network is asked for
DOCS = ["mkdocs-material", "mkdocstrings[python]"]
DEV = [
    "hypothesis",
    "import-linter",
    "jsonschema",
    "moto[server]",
    "mypy",
    "pre-commit",
    "pycocotools",
    "pytest",
    "pytest-cov",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "setuptools>=77",
    "torchmetrics",
    "types-PyYAML",
    "vermin",
]


def version() -> str:
    """The version that `perception/__init__.py` states."""
    match = re.search(r'^__version__ = "(.+)"$', (HERE / "perception/__init__.py").read_text("utf-8"), re.MULTILINE)
    assert match, "perception/__init__.py states no __version__"
    return match[1]


def shared(folder: str) -> list[tuple[str, list[str]]]:
    """data_files entries that copy `folder` with its subfolders below share/multimodal_perception."""
    entries: dict[str, list[str]] = {}
    for path in sorted((HERE / folder).rglob("*")):
        relative = path.relative_to(HERE)
        if path.is_file() and "__pycache__" not in relative.parts:
            entries.setdefault(f"{SHARE}/{relative.parent.as_posix()}", []).append(relative.as_posix())
    return list(entries.items())


setup(
    name=NAME,
    version=version(),
    description="Road, vehicle and pedestrian masks in ROS 2 from camera, depth, infrared and LiDAR, any subset",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=["perception", "perception.*"]),
    package_data={"perception": ["py.typed", "weights/*"], "perception.ros": ["*.xml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (SHARE, ["package.xml"]),
        (f"lib/{NAME}", ["scripts/perception_node", "scripts/perception_replay"]),
        *shared("configs"),
        *shared("launch"),
    ],
    install_requires=RUNTIME,
    extras_require={
        "node": ROS,
        "sim": SIMULATOR,
        "report": REPORT,
        "ros": [*ROS, *SIMULATOR, *REPORT],
        "onnx": ONNX,
        "int8": INT8,
        "las": LAS,
        "ray": RAY,
        "s3": S3,
        "gs": GS,
        "foxglove": FOXGLOVE,
        "track": TRACK,
        "view": VIEW,
        "train": [*SIMULATOR, *REPORT, *TRAIN],
        "maskrcnn": [*SIMULATOR, *REPORT, *TRAIN, *ONNX, *MASK_RCNN],
        "yolo": [*SIMULATOR, *REPORT, *TRAIN, *ONNX, *YOLO],
        "docs": DOCS,
        "dev": [*DEV, *DOCS],
        "all": [*ROS, *SIMULATOR, *REPORT, *ONNX, *INT8, *LAS, *TRAIN, *DEV, *DOCS],
    },
    entry_points={"console_scripts": ["perception = perception.cli.main:main"]},
    zip_safe=False,
)
