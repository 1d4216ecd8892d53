# SPDX-License-Identifier: Apache-2.0
"""Folders of images whose classes are known: the tiny network's class is red // 64."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import cv2
import numpy as np

from perception.datasets.io.named_frames import NamedFrames
from perception.frame import Frame


def write_images(folder: Path, count: int, width: int = 96, height: int = 64) -> Path:
    """PNG images of noise called 000.png, 001.png …"""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for number in range(count):
        image = rng.integers(0, 256, (height // 8, width // 8, 3), np.uint8).repeat(8, 0).repeat(8, 1)
        cv2.imwrite(str(folder / f"{number:03d}.png"), image)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a tree of outputs that is the same whoever made it."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix not in (".mp4", ".mcap", ".yaml") and path.name != "done.json"
    }


class DeadlyFrames(NamedFrames):
    """Twenty frames, of which the eleventh kills its reader, as the kernel does where memory is short."""

    path = Path("deadly")
    names = tuple(f"{number:02d}" for number in range(20))
    stamps_ns = range(20)

    def read(self, index: int) -> Frame:
        if index == 10:
            os.kill(os.getpid(), signal.SIGKILL)
        return Frame(index, np.zeros((64, 96, 3), np.uint8))
