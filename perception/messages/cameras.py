# SPDX-License-Identifier: Apache-2.0
"""A camera as CameraInfo or a calibration file describes it (REP 104): rectified image, raw image, and position."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import FrameError, MessageError
from perception.frame import CameraModel
from perception.messages.buffers import MAX_PIXELS
from perception.sensors.lens import Lens
from perception.sensors.registration import same_shape

RECTIFIED = ("auto", "yes", "no")
"""The choices for whether images are rectified."""

_COEFFICIENTS: dict[str, tuple[int, ...]] = {
    "plumb_bob": (4, 5),
    "rational_polynomial": (8, 12, 14),
    "equidistant": (4,),
    "fisheye": (4,),
    "": (5, 8, 12, 14),
}
"""Possible lengths of D by distortion model; an empty model means OpenCV's polynomial of that length."""

_OWN_FRAME = re.compile(r"(^|[/_])(right|infra2)([/_]|$)")
_RECT_TOPIC = re.compile(r"(^|[/_])rect(ified)?([/_]|$)")

_BINNINGS = (2, 3, 4)


@dataclass(frozen=True)
class CameraView:
    """A camera as its calibration describes it.

    model: the pinhole camera of its rectified image. offset: (3,) metres, added to a point in the frame
    `model.frame_id` to get it in the camera: zero, except for the second camera of a stereo pair, whose frame is the
    first one's (the fourth column of P, as in image_geometry). lens: distortion of its raw image; None if that is
    certainly rectified. unclear: why that is uncertain. note: other remarks for the user.
    """

    model: CameraModel
    offset: tuple[float, float, float] = (0.0, 0.0, 0.0)
    lens: Lens | None = None
    unclear: str | None = None
    note: str | None = None

    @property
    def from_frame(self) -> NDArray[np.float64]:
        """(4, 4) from the frame that the calibration names into the camera's optical centre."""
        matrix = np.eye(4)
        matrix[:3, 3] = self.offset
        return matrix

    def fitted(self, width: int, height: int) -> CameraView:
        """The same for its image of `width`×`height` pixels, which a driver may have binned.

        Raises MessageError for an image of another shape: it belongs to another camera, or is a crop.
        """
        model = self.model
        if (model.width, model.height) == (width, height):
            return self
        if not same_shape((model.width, model.height), (width, height)):
            raise MessageError(
                f"size: {model.width}×{model.height}, but images are {width}×{height}, of another shape: this is not "
                "their calibration; if a driver crops, roi must say so"
            )
        lens = self.lens and self.lens.resized(width, height)
        return replace(self, model=model.resized(width, height), lens=lens)

    def raw_lens(self, topic: str, rectified: str = "auto") -> Lens | None:
        """The lens for rectifying images on `topic`; None if they are rectified. rectified: one of RECTIFIED."""
        if rectified == "yes" or (rectified == "auto" and is_rectified_topic(topic)):
            return None
        return self.lens


def is_rectified_topic(topic: str) -> bool:
    """Whether a topic's name says that its images are rectified, as image_rect and image_rect_color do."""
    return bool(_RECT_TOPIC.search(topic))


def read_view(message: Any) -> CameraView:
    """CameraInfo → the camera, of its region of interest if it has one. Raises MessageError naming the field.

    The rectified image is that of P; if P is empty, of K. Its pixels are not binned: `fitted` does that.
    """
    width, height, roi = message.width, message.height, message.roi
    check_size(width, height)
    region = roi.width or width, roi.height or height  # zeros mean the whole image
    if roi.x_offset + region[0] > width or roi.y_offset + region[1] > height:
        raise MessageError(f"roi: {region[0]}×{region[1]} at {roi.x_offset}, {roi.y_offset} lies outside the image")
    view = make_view(
        (width, height),
        k=np.asarray(message.k, np.float64),
        d=np.asarray(message.d, np.float64),
        r=np.asarray(message.r, np.float64),
        p=np.asarray(message.p, np.float64),
        distortion_model=message.distortion_model,
        frame_id=message.header.frame_id,
    )
    if (roi.x_offset, roi.y_offset, *region) == (0, 0, width, height):
        return view
    shift = np.array([[1, 0, -roi.x_offset], [0, 1, -roi.y_offset], [0, 0, 1]], np.float64)
    model = CameraModel(shift @ view.model.intrinsics, *region, view.model.frame_id)
    lens = view.lens
    if lens is not None:
        k, p = (tuple((shift @ np.reshape(each, (3, 3))).ravel().tolist()) for each in (lens.k, lens.p))
        lens = replace(lens, k=k, p=p, width=region[0], height=region[1])
    return replace(view, model=model, lens=lens)


def make_view(
    size: tuple[int, int],
    k: NDArray[np.float64],
    d: NDArray[np.float64],
    r: NDArray[np.float64],
    p: NDArray[np.float64],
    distortion_model: str,
    frame_id: str,
) -> CameraView:
    """The camera of a CameraInfo's numbers: (9,), any, (9,), (12,). Raises MessageError naming the wrong ones."""
    for name, numbers in (("k", k), ("d", d), ("r", r), ("p", p)):
        if not np.isfinite(numbers).all():
            place = int(np.flatnonzero(~np.isfinite(numbers))[0])
            raise MessageError(f"{name}: number {place + 1} of {numbers.size} is {numbers[place]}")
    own, projection = k.reshape(3, 3), p.reshape(3, 4)
    name, intrinsics = ("p", projection[:, :3]) if projection[0, 0] else ("k", own)
    if not intrinsics[0, 0]:
        raise MessageError("p and k: no focal length, the camera is not calibrated")
    if not np.array_equal(intrinsics[2], [0, 0, 1]):
        raise MessageError(f"{name}: its third row begins with {intrinsics[2].tolist()}, expected 0, 0, 1")
    check_principal_point(name, intrinsics, size)
    try:
        model = CameraModel(intrinsics.copy(), *size, frame_id)
    except FrameError as error:
        raise MessageError(f"{name}: {error}") from error
    lens = unclear = None
    if d.any():
        if name == "k":
            raise MessageError("p: empty although d has distortion; rectify the image and set p, as calibration does")
        lens = _lens(size, own, d, r, intrinsics, distortion_model)
        if np.allclose(own, intrinsics, rtol=1e-6) and np.allclose(lens.r, np.eye(3).ravel()):
            unclear = (
                "d: has distortion although p equals k, as for images that are not rectified and for those whose d was "
                "left behind; taken as not rectified: image_rectified yes or no says which"
            )
    offset, note = _offset(projection if name == "p" else np.zeros((3, 4)), intrinsics, frame_id)
    return CameraView(model, offset, lens, unclear, note)


def check_size(width: int, height: int) -> None:
    """Raises MessageError for an impossible size of a calibrated camera."""
    if width <= 0 or height <= 0:
        raise MessageError(f"size: {width}×{height}, the camera is not calibrated")
    if width * height > MAX_PIXELS:
        raise MessageError(f"size: {width}×{height} is more than any camera has")


def check_principal_point(name: str, intrinsics: NDArray[np.float64], size: tuple[int, int]) -> None:
    """Raises MessageError if the matrix called `name` belongs to images of another size than (width, height)."""
    (width, height), (x, y) = size, intrinsics[:2, 2]
    if not (-0.5 <= x <= width - 0.5 and -0.5 <= y <= height - 0.5):
        raise MessageError(
            f"{name}: principal point {x:g}, {y:g} lies outside the image of {width}×{height}: it belongs to another "
            "size; if the image is a part of the sensor's, roi must say so"
        )
    for binning in _BINNINGS:
        shares = 2 * binning * x / width, 2 * binning * y / height
        if all(abs(share - 1) < 0.1 for share in shares):
            raise MessageError(
                f"{name}: principal point {x:g}, {y:g} belongs to images of {width / binning:g}×{height / binning:g}, "
                f"but width and height say {width}×{height}: calibrate at one size, or scale {name}"
            )


def _lens(
    size: tuple[int, int],
    own: NDArray[np.float64],
    d: NDArray[np.float64],
    r: NDArray[np.float64],
    intrinsics: NDArray[np.float64],
    distortion_model: str,
) -> Lens:
    """The lens of a camera with distortion. Raises MessageError for unknown models."""
    counts = _COEFFICIENTS.get(distortion_model)
    if not counts:
        known = ", ".join(name for name in _COEFFICIENTS if name)
        raise MessageError(
            f"distortion_model: '{distortion_model}' is unknown, known are {known}; rectify the images, set d to zeros"
        )
    if d.size not in counts:
        expected = " or ".join(map(str, counts))
        raise MessageError(f"d: {d.size} numbers, '{distortion_model}' has {expected}")
    if own[0, 0] <= 0 or own[1, 1] <= 0:
        raise MessageError("k: no focal length, although d has distortion")
    check_principal_point("k", own, size)
    turn = r.reshape(3, 3) if r.any() else np.eye(3)
    if not np.allclose(turn @ turn.T, np.eye(3), atol=1e-3) or np.linalg.det(turn) < 0:
        raise MessageError(f"r: no rotation: its determinant is {np.linalg.det(turn):.4g}, or rows are not orthonormal")
    k, p = tuple(own.ravel().tolist()), tuple(intrinsics.ravel().tolist())
    fisheye = distortion_model in ("equidistant", "fisheye")
    return Lens(k, tuple(d.tolist()), tuple(turn.ravel().tolist()), p, *size, fisheye)


def _offset(
    projection: NDArray[np.float64], intrinsics: NDArray[np.float64], frame_id: str
) -> tuple[tuple[float, float, float], str | None]:
    """(offset, note) from P's fourth column."""
    if not projection[:, 3].any():
        return (0.0, 0.0, 0.0), None
    x, y, z = np.linalg.solve(intrinsics, projection[:, 3])
    if _OWN_FRAME.search(frame_id):
        return (0.0, 0.0, 0.0), (
            f"p: Tx {projection[0, 3]:g} is a baseline of {-x:.4g} m from the first camera of the pair, but frame_id "
            f"'{frame_id}' is the second one's own: TF places it, and Tx is left out; for Tx, name the first camera's"
        )
    return (float(x), float(y), float(z)), None
