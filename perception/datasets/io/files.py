# SPDX-License-Identifier: Apache-2.0
"""Reads the files of data sets; missing, truncated or malformed ones raise DataError."""

from __future__ import annotations

import difflib
import logging
import zlib
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from perception.classes import CLASSES, FIRST, Classes
from perception.errors import DataError
from perception.sensors.sweeps import with_echo

_log = logging.getLogger(__name__)

IMAGE_SUFFIXES: tuple[str, ...] = (".png", ".jpg", ".jpeg")


EQUAL = 16
"""Step of soft labels: a pixel with all channels within one step of 64 is unknown."""


def require_directory(path: Path, purpose: str) -> Path:
    """`path` itself, if it is a folder; else DataError with the path and the `purpose` of the folder."""
    if not path.is_dir():
        raise DataError(f"{path}: no such folder ({purpose}){nearest_path(path)}")
    return path


def nearest_path(path: Path) -> str:
    """For a missing path: the existing one with the most similar name, or which folder on the way is missing.

    Appended to an error message; empty if nothing is similar.
    """
    known = next((each for each in path.parents if each.is_dir()), None)
    if known is None or path.exists():
        return ""
    missing = known / path.relative_to(known).parts[0]
    near = difflib.get_close_matches(missing.name, [each.name for each in known.iterdir()], n=1)
    if near:
        return f"; the nearest is {known / near[0]}"
    return "" if missing == path else f": there is no {missing.name} in {known}"


def list_images(directory: Path, purpose: str) -> list[Path]:
    """The PNG and JPEG files directly in `directory`, sorted by name; DataError if there are none."""
    found = sorted(p for p in require_directory(directory, purpose).iterdir() if p.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise DataError(f"{directory}: no PNG or JPEG image in it ({purpose})")
    return found


def find_image(directory: Path, stem: str) -> Path | None:
    """The image called `stem` in `directory`, with any suffix; None if there is none."""
    candidates = (directory / f"{stem}{suffix}" for suffix in IMAGE_SUFFIXES)
    return next((path for path in candidates if path.is_file()), None)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB. Raises DataError for missing, truncated or undecodable files."""
    return np.ascontiguousarray(_decode(path, cv2.IMREAD_COLOR)[:, :, ::-1])


def read_mono(path: Path) -> NDArray[Any]:
    """(H, W) uint8 or uint16; colour is converted to grey. Raises DataError as `read_rgb` does."""
    return _decode(path, cv2.IMREAD_GRAYSCALE | cv2.IMREAD_ANYDEPTH)


def has_one_channel(path: Path) -> bool:
    """Whether the image is stored in grey; False for one that cannot be read: reading it later raises the error."""
    try:
        return _decode(path, cv2.IMREAD_UNCHANGED).ndim == 2
    except DataError:
        return False


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


def read_sixteen_bit(path: Path, size: tuple[int, int]) -> NDArray[np.uint16]:
    """(H, W) of a one-channel 16-bit PNG. size: (width, height) that it must have. Raises DataError as `read_rgb` does,
    and for another shape or depth."""
    image = _decode(path, cv2.IMREAD_UNCHANGED)
    if image.shape != (size[1], size[0]) or image.dtype != np.uint16:
        shape = "×".join(str(n) for n in image.shape)
        raise DataError(f"{path}: {image.dtype} {shape} (height×width), expected uint16 {size[1]}×{size[0]}")
    return np.asarray(image, np.uint16)


def read_soft_labels(path: Path, classes: Classes = CLASSES) -> NDArray[np.float32]:
    """(h, w, K) float32 probabilities of the K classes; each pixel sums to 1.

    The file is a four-channel 8-bit PNG in OpenCV's order (B, G, R, A = the first four), or, for another number of
    classes, a grey one in which their images are below each other. Pixels that are zero in every channel, or within
    EQUAL of equal ones, are unknown and get equal probabilities; so do those in a file of four classes whose likeliest
    class may contain one that the file does not have. Raises DataError as `read_rgb` does.
    """
    raw, count, first = _decode(path, cv2.IMREAD_UNCHANGED), len(classes), len(FIRST)
    if raw.ndim == 2 and count != first and raw.shape[0] % count == 0:
        raw = raw.reshape(count, -1, raw.shape[1]).transpose(1, 2, 0)
    if raw.ndim != 3 or raw.shape[2] not in (count, first) or raw.dtype != np.uint8:
        wanted = f"{first} channels" + (f", or {count} images below each other" if count != first else "")
        raise DataError(f"{path}: {raw.dtype} {raw.shape}, expected an 8-bit PNG with {wanted}")
    weights = raw.astype(np.float32)
    total = weights.sum(axis=2, keepdims=True)
    nothing = (np.abs(weights - 256 / raw.shape[2]) <= EQUAL).all(axis=2, keepdims=True) | (total == 0)
    if raw.shape[2] < count:
        nothing |= np.isin(weights.argmax(axis=2), list(classes.unsure("soft")))[..., None]
        weights = np.pad(weights, ((0, 0), (0, 0), (0, count - first)))
    return np.where(nothing, 1 / count, weights / np.maximum(total, 1)).astype(np.float32)


class _Layout(NamedTuple):
    """The layout of points in a .bin: columns of one type; x, y, z, intensity come first. most: the highest
    intensity."""

    name: str
    type: str
    columns: int
    most: float = 1.0

    @property
    def size(self) -> int:
        """Bytes of a point."""
        return np.dtype(self.type).itemsize * self.columns


_KITTI = _Layout("float32 x y z intensity, 0–1", "<f4", 4)
_OTHERS = (
    _Layout("float32 x y z intensity, 0–255", "<f4", 4, 255.0),
    _Layout("float32 x y z intensity ring, 0–1", "<f4", 5),
    _Layout("float32 x y z intensity ring, 0–255", "<f4", 5, 255.0),
    _Layout("float64 x y z intensity, 0–1", "<f8", 4),
    _Layout("float64 x y z intensity, 0–255", "<f8", 4, 255.0),
)
REACH = 300.0
"""Longest range of a vehicle's LiDAR [m]."""

RINGS = 256
ENOUGH = 50
"""The fewest points for recognising a layout other than KITTI's."""


def read_velodyne(path: Path) -> NDArray[np.float32]:
    """(N, 4) float32 x, y, z [m], intensity [0–1] from a .bin as KITTI's, without the points that have no echo.

    Points without an echo are NaN, infinite or at 0, 0, 0. Points of five columns, the fifth a ring, of float64, and
    intensities of 0–255 are recognised by their values, if these are unambiguous, and reported once per folder. Raises
    DataError for files that are missing, truncated or none of these.
    """
    data = read_bytes(path)
    if not data or _fits(data, _KITTI):
        return with_echo(np.frombuffer(data, "<f4").reshape(-1, 4).astype(np.float32))
    others = [each for each in _OTHERS if len(data) % each.size == 0 and len(data) >= ENOUGH * each.size]
    found = [layout for layout in others if _fits(data, layout)]
    if len(found) == 1:
        _tell(path.parent, found[0].name)
        points = np.frombuffer(data, found[0].type).reshape(-1, found[0].columns)[:, :4]
        return with_echo((points / (1, 1, 1, found[0].most)).astype(np.float32))
    if len(data) % _KITTI.size and not others:
        raise DataError(
            f"{path}: {len(data)} bytes, truncated: a whole number of points of 16 bytes would have "
            f"{len(data) - len(data) % 16} or {len(data) + 16 - len(data) % 16}"
        )
    tried = "; ".join(layout.name for layout in (_KITTI, *_OTHERS))
    if found:
        raise DataError(f"{path}: may be {' or '.join(layout.name for layout in found)}: write it as {_KITTI.name}")
    raise DataError(f"{path}: {_oddity(data)}; none of: {tried}: write it as {_KITTI.name}")


def _fits(data: bytes, layout: _Layout) -> bool:
    """Whether the bytes are plausible points in that layout: coordinates within reach, an intensity, a ring."""
    if len(data) % layout.size:
        return False
    values = np.frombuffer(data, layout.type).reshape(-1, layout.columns)
    known = values[np.isfinite(values).all(1)]
    if 2 * len(known) < len(values) or np.isinf(values).any():  # points without echo may be NaN
        return False
    intensity = known[:, 3]
    if np.abs(known[:, :3]).max(initial=0) > REACH or intensity.min(initial=0) < 0:
        return False
    if layout.columns > 4:
        ring = known[:, 4]
        if (ring != np.floor(ring)).any() or ring.min(initial=0) < 0 or ring.max(initial=0) >= RINGS:
            return False
    if layout.most == 1.0:
        return bool(intensity.max(initial=0) <= 1.0)
    whole = bool((intensity == np.floor(intensity)).all())
    return whole and bool(1.0 < intensity.max(initial=0) <= layout.most)


def _oddity(data: bytes) -> str:
    """Why the bytes are not KITTI's points, with numbers."""
    if len(data) % _KITTI.size:
        return f"{len(data)} bytes are no multiple of {_KITTI.size}, the size of a point"
    values = np.frombuffer(data, "<f4").reshape(-1, 4)
    with np.errstate(invalid="ignore"):
        far = int((~(np.abs(values[:, :3]) <= REACH)).any(1).sum())
    if far:
        return f"{far} of {len(values)} points are beyond {REACH:.0f} m or not finite"
    return f"intensities of {np.nanmin(values[:, 3]):.6g} to {np.nanmax(values[:, 3]):.6g}"


@lru_cache(maxsize=256)
def _tell(folder: Path, layout: str) -> None:
    _log.warning("%s: sweeps are read as %s", folder, layout)


def read_text(path: Path) -> str:
    """The file's text. Raises DataError if it is missing or not text."""
    try:
        return read_bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: not a text file ({error.reason} at byte {error.start})") from error


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises DataError if it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise DataError(f"{path}: no such file") from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error


def _decode(path: Path, flags: int) -> NDArray[Any]:
    data = read_bytes(path)
    check_complete(path, data)  # OpenCV fills the missing part of a truncated file with grey
    image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    if image is None:
        raise DataError(f"{path}: {len(data)} bytes that OpenCV cannot decode as an image")
    return image


def check_complete(path: Path, data: bytes) -> None:
    """Raises DataError for the bytes of an image file that is empty, a PNG or JPEG without its end, or a damaged PNG.

    OpenCV decodes damaged images without an error; a JPEG has no checksum.
    """
    if not data:
        raise DataError(f"{path}: empty file, expected an image")
    tail = data[-64:]
    if data.startswith(b"\x89PNG") and b"IEND" not in tail:
        raise DataError(f"{path}: truncated PNG, its end mark (IEND) is missing after {len(data)} bytes")
    if data.startswith(b"\x89PNG"):
        _check_chunks(path, data)
    if data.startswith(b"\xff\xd8") and b"\xff\xd9" not in tail:
        raise DataError(f"{path}: truncated JPEG, its end mark (FFD9) is missing after {len(data)} bytes")


def _check_chunks(path: Path, data: bytes) -> None:
    """Each chunk of a PNG is its length, type, content and their CRC."""
    view, at = memoryview(data), 8
    while at < len(data):
        length = int.from_bytes(view[at : at + 4], "big")
        end = at + 8 + length
        if end + 4 > len(data) or zlib.crc32(view[at + 4 : end]) != int.from_bytes(view[end : end + 4], "big"):
            raise DataError(f"{path}: damaged PNG: its checksum is wrong at byte {at} of {len(data)}")
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end + 4
