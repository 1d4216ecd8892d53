# SPDX-License-Identifier: Apache-2.0
"""Moving pictures: MP4 where OpenCV can write it, animated WebP for web pages."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from perception.disk import full_disk, is_full, write_file
from perception.errors import DataError


class VideoWriter:
    """Writes (H, W, 3) uint8 RGB images of one size to `stem`.mp4, or to `stem`.webp where MP4 cannot be written.

    Use it as a context manager; `path` is the file, which appears when complete. Odd sizes lose a line, because MP4
    needs even ones. Leaving it raises DataError where not every image is in the file, DiskFull where there was no room.
    """

    def __init__(self, stem: Path, rate_hz: float) -> None:
        self.path = stem.with_suffix(".mp4")
        self._rate_hz = rate_hz
        self._writer: cv2.VideoWriter | None = None
        self._fallback: list[Image.Image] = []
        self._count = 0

    def __enter__(self) -> VideoWriter:
        return self

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append one image."""
        height, width = (size // 2 * 2 for size in image.shape[:2])
        if self._writer is None:
            self.path.unlink(missing_ok=True)
            fourcc = cv2.VideoWriter.fourcc(*"mp4v")  # the one MP4 codec that every OpenCV wheel can write
            self._writer = cv2.VideoWriter(str(self.path), fourcc, self._rate_hz, (width, height))
            if not self._writer.isOpened():
                self.path = self.path.with_suffix(".webp")
        if self._writer.isOpened():
            self._writer.write(cv2.cvtColor(image[:height, :width], cv2.COLOR_RGB2BGR))
            self._count += 1
        else:
            self._fallback.append(Image.fromarray(image))

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self._writer is not None:
            self._writer.release()
        if kind is not None:
            self.path.unlink(missing_ok=True)
        elif self._fallback:
            write_file(self.path, _encode(self._fallback, self._rate_hz, quality=70))
        elif self._count and not has_frames(self.path, self._count):  # OpenCV reports no errors while writing
            full = is_full(self.path)
            self.path.unlink(missing_ok=True)
            raise full_disk(self.path) if full else DataError(f"{self.path}: OpenCV cannot write a video there")


def has_frames(path: Path, count: int) -> bool:
    """Whether the video is whole and of so many images; of a WebP, which may hold equal images once, whether it is."""
    if path.suffix == ".webp":
        return path.stat().st_size > 0
    video = cv2.VideoCapture(str(path))
    try:
        return video.isOpened() and round(video.get(cv2.CAP_PROP_FRAME_COUNT)) == count
    finally:
        video.release()


def animation(images: Iterable[NDArray[np.uint8]], rate_hz: float, width: int = 640) -> bytes:
    """The images as an animated WebP so many pixels across, which every browser shows."""
    small = []
    for image in images:
        height = round(width * image.shape[0] / image.shape[1])
        small.append(Image.fromarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)))
    return _encode(small, rate_hz, quality=55)


def _encode(images: list[Image.Image], rate_hz: float, quality: int) -> bytes:
    buffer = io.BytesIO()
    images[0].save(
        buffer, "WEBP", save_all=True, append_images=images[1:], duration=round(1000 / rate_hz), loop=0,
        quality=quality, method=2,
    )  # fmt: skip
    return buffer.getvalue()
