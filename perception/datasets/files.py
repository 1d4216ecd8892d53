# SPDX-License-Identifier: Apache-2.0
"""Reading the files that data sets are made of; whatever is missing, cut short or odd becomes a DataError."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASS_NAMES
from perception.errors import DataError
from perception.sensors.sweeps import with_echo

IMAGE_SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".jpeg")


EQUAL = 16
"""Soft labels come in steps of this: channels that all are within one step of 64 say that nothing is known."""


def require_directory(path: Path, purpose: str) -> Path:
    """`path` itself, if it is a folder; else DataError naming it and what it is for."""
    if not path.is_dir():
        raise DataError(f"{path}: no such folder ({purpose})")
    return path


def list_images(directory: Path, purpose: str) -> list[Path]:
    """The PNG and JPEG files directly in `directory`, sorted by name; DataError when there are none."""
    found = sorted(p for p in require_directory(directory, purpose).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DataError(f"{directory}: no PNG or JPEG image in it ({purpose})")
    return found


def find_image(directory: Path, stem: str) -> Path | None:
    """The image called `stem` in `directory`, whatever its suffix; None without one."""
    candidates = (directory / f"{stem}{suffix}" for suffix in IMAGE_SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises DataError for missing, truncated or undecodable files."""
    return np.ascontiguousarray(_decode(path, cv2.IMREAD_COLOR)[:, :, ::-1])


def read_mono(path: Path) -> NDArray[Any]:
    """(H, W) uint8 or uint16, colour turned to grey. Raises DataError as `read_rgb` does."""
    return _decode(path, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)


def read_labels(path: Path, table: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """(H, W) uint8 class ids: a one-channel PNG of a data set's ids, looked up in `table` (256,).

    size: (width, height) that the labels must have. Raises DataError as `read_rgb` does, and for another shape.
    """
    ids = _decode(path, cv2.IMREAD_UNCHANGED)
    if ids.shape != (size[1], size[0]) or ids.dtype != np.uint8:
        shape = "×".join(str(n) for n in ids.shape)
        raise DataError(
            f"{path}: {ids.dtype} {shape} (height×width), expected uint8 {size[1]}×{size[0]} ids, as large as its image"
        )
    return table[ids]


def read_soft_labels(path: Path) -> NDArray[np.float32]:
    """(h, w, 4) float32 probabilities of background, road, vehicle, pedestrian; each pixel sums to 1.

    The file is a four-channel 8-bit PNG in OpenCV's order (B, G, R, A = the four classes). Pixels that are zero in
    every channel, or within EQUAL of 64, know nothing and get equal probabilities. Raises DataError as `read_rgb` does.
    """
    raw = _decode(path, cv2.IMREAD_UNCHANGED)
    if raw.ndim != 3 or raw.shape[2] != len(CLASS_NAMES) or raw.dtype != np.uint8:
        raise DataError(f"{path}: {raw.dtype} {raw.shape}, expected an 8-bit PNG with {len(CLASS_NAMES)} channels")
    weights = raw.astype(np.float32)
    total = weights.sum(axis=2, keepdims=True)
    even = 1 / len(CLASS_NAMES)
    equal = (np.abs(weights - 256 * even) <= EQUAL).all(axis=2, keepdims=True)
    return np.where(equal | (total == 0), even, weights / np.maximum(total, 1)).astype(np.float32)


def read_velodyne(path: Path) -> NDArray[np.float32]:
    """(N, 4) float32 x, y, z [m], intensity [0–1] from KITTI's .bin, without the points that have no echo.

    Those are NaN, infinite or at 0, 0, 0. Raises DataError when missing or truncated.
    """
    data = read_bytes(path)
    if len(data) % 16:
        raise DataError(
            f"{path}: {len(data)} bytes, truncated: a whole number of points of 16 bytes would have "
            f"{len(data) - len(data) % 16} or {len(data) + 16 - len(data) % 16}"
        )
    return with_echo(np.frombuffer(data, "<f4").reshape(-1, 4).astype(np.float32))


def read_text(path: Path) -> str:
    """The file's text. Raises DataError when it is missing or is not text."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file ({error.reason} at byte {error.start})") from error


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises DataError when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _decode(path: Path, flags: int) -> NDArray[Any]:
    data = read_bytes(path)
    check_complete(path, data)  # OpenCV fills the missing part of a cut file with grey and goes on
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise DataError(f"{path}: {len(data)} bytes that OpenCV cannot decode as an image")
    return image


def check_complete(path: Path, data: bytes) -> None:
    """Raises DataError for the bytes of an image file that is empty, or a PNG or JPEG without its end."""
    if not data:
        raise DataError(f"{path}: empty file, expected an image")
    tail = data[-64:]
    if data.startswith(b"\x89PNG") and b"IEND" not in tail:
        raise DataError(f"{path}: truncated PNG, its end mark (IEND) is missing after {len(data)} bytes")
    if data.startswith(b"\xff\xd8") and b"\xff\xd9" not in tail:
        raise DataError(f"{path}: truncated JPEG, its end mark (FFD9) is missing after {len(data)} bytes")
