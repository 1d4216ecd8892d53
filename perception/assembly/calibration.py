# SPDX-License-Identifier: Apache-2.0
"""The camera's calibration and the LiDAR's mounting: from camera_info and TF, else a file, else parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from perception.assembly.settings.parameters import check_rigid
from perception.assembly.transforms import TransformSource
from perception.datasets.kitti.calibration import read_raw_calibration
from perception.errors import DataError, MessageError
from perception.frame import CameraModel
from perception.messages.cameras import RECTIFIED, CameraView, check_size, make_view, read_view
from perception.sensors.spec import SPECS
from perception.storage import source

CALIBRATION_KEYS = (
    *("image_width", "image_height", "camera_name", "camera_matrix", "distortion_model", "distortion_coefficients"),
    *("rectification_matrix", "projection_matrix", "lidar_to_camera", "image_rectified"),
)
"""The keys of a calibration file; a file of topic names may have them too."""


@dataclass(frozen=True)
class FileCalibration:
    """The content of a calibration file; in YAML, any of it may be missing.

    rectified: whether the camera's images are rectified, one of `cameras.RECTIFIED`.
    """

    camera: CameraView | None
    lidar_to_camera: NDArray[np.float64] | None
    rectified: str = "auto"

    def of_files(self, path: Path) -> tuple[CameraModel | None, NDArray[np.float64] | None]:
        """(camera, lidar_to_camera) for images on disk, which are used unchanged. path: this file, for the error
        message.

        Raises DataError if the images may need rectification.
        """
        view, mount = self.camera, self.lidar_to_camera
        if view is None:
            return None, mount
        if view.lens is not None and self.rectified != "yes":
            raise DataError(
                f"{path}: distortion_coefficients are not 0, and images in a folder are not rectified here: rectify "
                "them, and write 'image_rectified: yes' in this file"
            )
        return view.model, None if mount is None else view.from_frame @ mount


def read_calibration_file(path: str | Path) -> FileCalibration:
    """Read a KITTI raw calibration folder (its colour camera 2), or YAML.

    The YAML is what ROS's camera_calibration writes (image_width, image_height, camera_name, camera_matrix,
    distortion_model, distortion_coefficients, rectification_matrix, projection_matrix), with `lidar_to_camera` as 16
    numbers and `image_rectified` (auto, yes or no) beside it. Raises DataError naming file and key.
    """
    path = source(path).expanduser()
    if path.is_dir():
        kitti = read_raw_calibration(path)
        assert kitti.size is not None  # raw drives give the size
        camera = CameraView(kitti.camera(*kitti.size, "camera_color_left"))
        return FileCalibration(camera, kitti.lidar_to_camera)
    try:
        content = yaml.safe_load(path.read_text("utf-8"))
    except OSError as error:
        raise DataError(
            f"{path}: {error.strerror}; calibration_file takes a KITTI calibration folder or YAML"
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: not valid YAML: {' '.join(str(error).split())}") from error
    if not isinstance(content, dict):
        raise DataError(f"{path}: expected keys such as image_width, projection_matrix and lidar_to_camera")
    view = _camera(content, path) if "image_width" in content else None
    rectified = content.get("image_rectified", "auto")
    rectified = {True: "yes", False: "no"}.get(rectified, rectified)  # YAML's own reading of yes and no
    if rectified not in RECTIFIED:
        raise DataError(f"{path}: image_rectified: '{rectified}', expected one of {', '.join(RECTIFIED)}")
    matrix = None
    if "lidar_to_camera" in content:
        numbers = _numbers(content, "lidar_to_camera", 16, path)
        reason = check_rigid("lidar_to_camera", numbers.tolist())
        if reason:
            raise DataError(f"{path}: {reason}")
        matrix = numbers.reshape(4, 4)
    if view is None and matrix is None and "image_rectified" not in content:
        raise DataError(f"{path}: it has neither image_width (a camera) nor lidar_to_camera")
    return FileCalibration(view, matrix, rectified)


@dataclass
class _CameraInfo:
    """The newest message, the newest message that was read, its content, and what is wrong with it."""

    message: Any = None
    read: Any = None
    camera: CameraView | None = None
    error: MessageError | None = None


class Calibration:
    """The present calibration. Callbacks put camera_info in; the worker reads everything else."""

    def __init__(
        self,
        file: FileCalibration | None = None,
        lidar_to_camera: NDArray[np.float64] | None = None,
        transforms: TransformSource | None = None,
    ) -> None:
        self._file = file or FileCalibration(None, None)
        self._parameter = lidar_to_camera
        self._transforms = transforms
        self._image_frame = self._lidar_frame = ""
        self._infos = {sensor: _CameraInfo() for sensor, spec in SPECS.items() if spec.camera_info}

    def put_image_frame(self, frame_id: str) -> None:
        """Store the frame of the camera's images: TF seldom knows the camera_name of a file."""
        self._image_frame = frame_id or self._image_frame

    def put_camera_info(self, message: Any, sensor: str = "rgb") -> None:
        """Take a CameraInfo of the sensor; it is read when the next frame needs it."""
        self._infos[sensor].message = message

    def camera(self, sensor: str = "rgb") -> CameraView | None:
        """The camera of the newest valid camera_info; for rgb, otherwise that of the file; else None.

        If camera_info does not name the camera's frame, the frame of the images is used.
        """
        info = self._infos[sensor]
        message = info.message
        if message is not None and not _same(message, info.read):
            info.read, info.error = message, None
            try:
                info.camera = read_view(message)
            except MessageError as error:
                info.error = error
        if sensor != "rgb":
            return info.camera
        camera = info.camera or self._file.camera
        named = info.camera is not None and info.camera.model.frame_id
        if camera is not None and self._image_frame and not named:
            return replace(camera, model=replace(camera.model, frame_id=self._image_frame))
        return camera

    @property
    def file_camera(self) -> CameraModel | None:
        """The camera of the file, which is known before any message arrives."""
        return self._file.camera.model if self._file.camera is not None else None

    @property
    def image_frame(self) -> str:
        """The frame of the camera's images; empty until one has arrived."""
        return self._image_frame

    @property
    def rectified(self) -> str:
        """What the file states about whether the camera's images are rectified."""
        return self._file.rectified

    def broken(self, sensor: str = "rgb") -> MessageError | None:
        """What is wrong with the camera_info that `camera` read last."""
        return self._infos[sensor].error

    def to_camera(self, sensor: str, frame: str, camera_frame: str) -> NDArray[np.float64]:
        """(4, 4) from another camera's optical frame, by TF. Raises MessageError, naming the frames, if TF has none."""
        found = self.to_frame(camera_frame, frame)
        if found is None:
            raise MessageError(
                f"extrinsics: no TF from '{frame}' to '{camera_frame}'; the {sensor} image cannot be registered and is "
                "left out"
            )
        return found

    def to_frame(self, target: str, source: str) -> NDArray[np.float64] | None:
        """(4, 4) that takes points of `source` into `target`, by TF; None if TF does not know it."""
        return self._transforms.lookup(target, source) if self._transforms is not None else None

    def further_to_camera(self, frame: str, camera_frame: str, noun: str) -> NDArray[np.float64]:
        """(4, 4) from the frame of a sensor beside those of MODALITIES to the camera's, by TF. Raises MessageError."""
        if frame and frame == camera_frame:
            return np.eye(4)
        found = self.to_frame(camera_frame, frame) if frame and camera_frame else None
        if found is None:
            raise MessageError(f"extrinsics: no TF from '{frame}' to '{camera_frame}'; the {noun} is left out")
        return found

    def lidar_to_camera(
        self, lidar_frame: str, camera_frame: str, sensor: str = "lidar", still_at_ns: int | None = None
    ) -> NDArray[np.float64]:
        """(4, 4): by TF, else the file, else the parameter. Raises MessageError, naming the frames, if all lack it.

        sensor: file and parameter give the position of the first LiDAR, `lidar`; TF places the others relative to it.
        still_at_ns: the instant at which to look up a cloud in a frame that stands still while the vehicle moves; only
        TF knows such frames.
        """
        tf = self._transforms
        if sensor == "lidar":
            self._lidar_frame = lidar_frame or self._lidar_frame
        if tf is not None and lidar_frame and camera_frame:
            # A mount does not move: ask without a time, since a TF source that has just started does not know the past.
            at = () if still_at_ns is None else (still_at_ns,)
            found = tf.lookup(camera_frame, lidar_frame, *at)
            if found is not None:
                return found
        mount = self._file.lidar_to_camera if self._file.lidar_to_camera is not None else self._parameter
        nobody = (
            f"extrinsics: {'no TF' if tf is not None else 'no TF installed'} from '{lidar_frame}' to '{camera_frame}'"
        )
        if still_at_ns is not None:
            raise MessageError(f"{nobody}, and '{lidar_frame}' stands still and is not a mount; the LiDAR is left out")
        if mount is None:
            raise MessageError(
                f"{nobody}, and neither calibration_file nor lidar_to_camera is set; the LiDAR is left out"
            )
        if sensor == "lidar" or (lidar_frame and lidar_frame == self._lidar_frame):
            return mount
        beside = tf.lookup(self._lidar_frame, lidar_frame) if tf is not None and self._lidar_frame else None
        if beside is None:
            raise MessageError(
                f"{nobody}, nor to the first LiDAR's '{self._lidar_frame}' (calibration_file and lidar_to_camera "
                "describe only that one); the LiDAR is left out"
            )
        return mount @ beside


def _same(message: Any, other: Any) -> bool:
    """Whether two CameraInfo have the same content: most cameras repeat theirs with every image."""
    return (
        other is not None
        and (message.header.frame_id, message.roi) == (other.header.frame_id, other.roi)
        and (message.width, message.height, message.distortion_model)
        == (other.width, other.height, other.distortion_model)
        and all(np.array_equal(getattr(message, name), getattr(other, name)) for name in ("p", "k", "d", "r"))
    )


def _camera(content: dict[str, Any], path: Path) -> CameraView:
    width, height = content["image_width"], content.get("image_height")
    if not isinstance(width, int) or not isinstance(height, int):
        raise DataError(f"{path}: image_width and image_height must be whole numbers")
    names = {
        "k": "camera_matrix",
        "d": "distortion_coefficients",
        "r": "rectification_matrix",
        "p": "projection_matrix",
    }
    counts: dict[str, int | None] = {"k": 9, "d": None, "r": 9, "p": 12}
    values = {
        field: _numbers(content, name, counts[field], path) if name in content else np.zeros(counts[field] or 0)
        for field, name in names.items()
    }
    frame_id, model = str(content.get("camera_name", "camera")), str(content.get("distortion_model", ""))
    try:
        check_size(width, height)
        return make_view((width, height), **values, distortion_model=model, frame_id=frame_id)
    except MessageError as error:
        field, _, reason = str(error).partition(":")
        named = {**names, "p and k": "projection_matrix and camera_matrix"}
        raise DataError(f"{path}: {named.get(field, field)}:{reason}") from error


def _numbers(content: dict[str, Any], key: str, count: int | None, path: Path) -> NDArray[np.float64]:
    """The numbers under `key`, either a list or a mapping with `data`; `count` of them, or any number if None."""
    value = content.get(key)
    if isinstance(value, dict):
        value = value.get("data")
    try:
        numbers = np.array(value, np.float64).reshape(-1)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.size != (count or numbers.size or 1):
        raise DataError(f"{path}: {key}: expected {count or 'some'} numbers, found {numbers.size}")
    if not np.isfinite(numbers).all():
        place = int(np.flatnonzero(~np.isfinite(numbers))[0])
        raise DataError(f"{path}: {key}: number {place + 1} of {numbers.size} is {numbers[place]}")
    return numbers
