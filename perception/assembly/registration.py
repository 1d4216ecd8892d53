# SPDX-License-Identifier: Apache-2.0
"""Depth and infrared images → the camera's view. Images with unknown intrinsics are refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.cameras import CameraView
from perception.sensors.lens import Lens
from perception.sensors.registration import register_depth, register_infrared, same_shape, same_view


@dataclass(frozen=True)
class Anchor:
    """The camera that the labels are seen from.

    size: (width, height) of its image. frames: the frames that its messages name, the first of them TF's. view: its
    calibration, if it is known. lens: the lens of its own image; None if that is rectified.
    """

    size: tuple[int, int]
    frames: tuple[str, ...] = ()
    view: CameraView | None = None
    lens: Lens | None = None


@dataclass(frozen=True)
class Seen:
    """A depth or infrared image as it came: its sensor's name, header.frame_id, topic, and its own camera_info's topic
    and content, None without."""

    sensor: str
    image: NDArray[Any]
    frame: str
    topic: str
    info_topic: str
    own: CameraView | None


def register(
    seen: Seen,
    anchor: Anchor,
    lookup: Callable[[str, str], NDArray[np.float64]],
    distance: float,
    rectified: str = "auto",
) -> NDArray[Any]:
    """The image as the anchor's rectified image would show it, at any resolution; see `Frame`.

    lookup(frame, anchor's frame): (4, 4) by TF, or MessageError. distance: see `register_infrared`. rectified: see
    `cameras.RECTIFIED`. Raises MessageError, field first, if it is unknown how to register the image.
    """
    sensor, image, own, frame = seen.sensor, seen.image, seen.own, _bare(seen.frame)
    size, known = (image.shape[1], image.shape[0]), {_bare(name) for name in anchor.frames}
    if own is None:
        if frame and known and frame not in known:
            raise MessageError(
                f"frame_id: '{frame}' is not the camera's '{anchor.frames[0]}', and nothing on {seen.info_topic} "
                f"gives its intrinsics; the {sensor} image is left out"
            )
        if not same_shape(size, anchor.size):
            raise MessageError(
                f"size: {_text(size)} is not the shape of the camera's {_text(anchor.size)}, and nothing on "
                f"{seen.info_topic} gives its intrinsics; the {sensor} image is left out"
            )
        return _straight(sensor, image, anchor.lens and anchor.lens.resized(*size))
    named = _bare(own.model.frame_id)
    if frame and named and frame != named:
        raise MessageError(
            f"frame_id: images are in '{frame}', {seen.info_topic} is of '{named}': is that another camera's? "
            f"The {sensor} image is left out"
        )
    try:
        view = own.fitted(*size)
    except MessageError as error:
        raise MessageError(f"{error} ({seen.info_topic}); the {sensor} image is left out") from error
    image = _straight(sensor, image, view.raw_lens(seen.topic, rectified))
    frame = frame or named
    here = not frame or not known or frame in known
    if anchor.view is None:
        if not here or not same_shape(size, anchor.size):
            raise MessageError(
                f"camera: the {sensor} image, {_text(size)} in '{frame}', cannot be registered: the camera that it "
                "would be registered to is unknown; it is left out"
            )
        return image
    if here and own.offset == anchor.view.offset and same_view(view.model, anchor.view.model):
        return image
    mount = np.eye(4) if here else lookup(frame, anchor.frames[0])
    mount = anchor.view.from_frame @ mount @ np.linalg.inv(view.from_frame)
    if sensor == "depth":
        found = register_depth(image, view.model, anchor.view.model, mount)
        nothing = not np.isfinite(found).any() and bool(np.isfinite(image).any())
    else:
        found = register_infrared(image, view.model, anchor.view.model, mount, distance)
        nothing = not found.any() and bool(image.any())
    if nothing:
        raise MessageError(
            f"view: nothing that the {sensor} camera in '{frame}' sees is in the camera's image; do they look "
            "in different directions? It is left out"
        )
    return found


def _straight(sensor: str, image: NDArray[Any], lens: Lens | None) -> NDArray[Any]:
    if lens is None:
        return image
    return lens.rectify_depth(image) if sensor == "depth" else lens.rectify(image)


def _bare(frame: str) -> str:
    """A frame id without the slash that ROS 1 had before it."""
    return frame.lstrip("/")


def _text(size: tuple[int, int]) -> str:
    return f"{size[0]}×{size[1]}"
