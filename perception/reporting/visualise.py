# SPDX-License-Identifier: Apache-2.0
"""Sensor data and predictions as pictures. All images are (H, W, 3) uint8 RGB."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from perception.classes import BACKGROUND, CLASSES, UNLABELLED, Classes
from perception.frame import INSTANCE_STEP, Frame
from perception.instances import extents
from perception.sensors.projection import project
from perception.sensors.spec import FURTHER, SPECS, Scene
from perception.sensors.visibility import hidden

WIDTH = 1242
"""Pixels of a panel across: KITTI's images fit without scaling."""

NEAR_M, FAR_M = 3.0, 70.0
"""Distances at the two ends of the colour scale, which is logarithmic."""

BACKDROP = (14, 17, 22)
INK = (235, 238, 242)
FADED = (150, 158, 168)

RGB = NDArray[np.uint8]


def overlay(image: RGB, labels: NDArray[np.uint8], alpha: float = 0.5, classes: Classes = CLASSES) -> RGB:
    """The image with the foreground classes in their colours, and a line around each region."""
    foreground = (labels != BACKGROUND) & (labels != UNLABELLED)
    blended = cv2.addWeighted(image, 1 - alpha, classes.colourise(labels), alpha, 0)
    result = np.where(foreground[..., None], blended, image)
    for class_id in classes.foreground.values():
        regions = cv2.findContours((labels == class_id).astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        bright = tuple(int(c) for c in 255 - (255 - classes.palette[class_id].astype(int)) * 2 // 3)
        result = cv2.drawContours(result, regions, -1, bright, 1)
    return result


def outlined(image: RGB, instances: NDArray[np.uint16]) -> RGB:
    """The image with a line around each of (H, W) instances and its number, which always has the same colour."""
    drawn = image.copy()
    found = extents(instances)
    numbers = (found.codes % INSTANCE_STEP).astype(np.int64)
    hues = np.stack(
        [numbers * 110 % 180, np.full(len(numbers), 130), np.full(len(numbers), 255)], -1
    )  # neighbours differ
    colours = cv2.cvtColor(hues.astype(np.uint8)[None], cv2.COLOR_HSV2RGB)[0].tolist() if len(numbers) else []
    for code, (left, top, right, bottom), colour in zip(found.codes, found.boxes.tolist(), colours, strict=True):
        part = (instances[top : bottom + 1, left : right + 1] == code).astype(np.uint8)
        regions = cv2.findContours(part, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
        cv2.drawContours(drawn, regions, -1, colour, 2, offset=(left, top))
    written = Image.fromarray(drawn)
    pen = ImageDraw.Draw(written, "RGBA")
    for number, (left, top, right, bottom), colour in zip(numbers, found.boxes.tolist(), colours, strict=True):
        where = ((left + right) / 2, (top + bottom) / 2)
        box = pen.textbbox(where, str(number), font=_font(14), anchor="mm")
        pen.rectangle((box[0] - 3, box[1] - 2, box[2] + 3, box[3] + 2), fill=(*BACKDROP, 170))
        pen.text(where, str(number), fill=tuple(colour), font=_font(14), anchor="mm")
    return np.array(written)


def lidar_view(frame: Frame, width: int, height: int) -> RGB:
    """The sweep as the camera sees it, coloured by distance."""
    canvas = _blank(width, height)
    if frame.points is None or frame.camera is None or frame.lidar_to_camera is None:
        return canvas
    seen = project(frame.points, frame.lidar_to_camera, frame.camera)
    u = (seen.uv[:, 0] + 0.5) * width / frame.camera.width
    v = (seen.uv[:, 1] + 0.5) * height / frame.camera.height
    _dots(canvas, u, v, _by_distance(seen.depth), order=-seen.depth)
    return canvas


def bird_view(
    frame: Frame,
    labels: NDArray[np.uint8] | None,
    width: int,
    height: int,
    metres: float = 62.0,
    classes: Classes = CLASSES,
) -> RGB:
    """The sweep from above, forward to the right, coloured by the class that each point has in `labels`.

    Points that the camera does not see, outside its image or behind something nearer, are dim. metres: how far forward
    the view reaches.
    """
    canvas = _blank(width, height)
    if frame.points is None:
        return canvas
    scale = width / (metres + 4.0)
    origin = 4.0 * scale, height / 2

    for ring in (10, 20, 30, 40, 50, 60):
        cv2.circle(canvas, (int(origin[0]), int(origin[1])), int(ring * scale), (34, 39, 47), 1, cv2.LINE_AA)
    colours = np.full((len(frame.points), 3), 62, np.uint8)
    order = np.zeros(len(frame.points))
    if labels is not None and frame.camera is not None and frame.lidar_to_camera is not None:
        seen = project(frame.points, frame.lidar_to_camera, frame.camera)
        seen = seen.only(~hidden(seen, float(frame.camera.intrinsics[0, 0])))
        column = np.clip((seen.uv[:, 0] + 0.5) * labels.shape[1] / frame.camera.width, 0, labels.shape[1] - 1)
        row = np.clip((seen.uv[:, 1] + 0.5) * labels.shape[0] / frame.camera.height, 0, labels.shape[0] - 1)
        found = labels[row.astype(int), column.astype(int)]
        palette = np.full((256, 3), 125, np.uint8)
        ids = list(classes.foreground.values())
        palette[ids] = classes.palette[ids]
        colours[seen.rows] = palette[found]
        order[seen.rows] = 1 + np.where(found == UNLABELLED, 0, found)
    u = origin[0] + frame.points[:, 0] * scale
    v = origin[1] - frame.points[:, 1] * scale
    _dots(canvas, u, v, colours, order)
    nose = np.array([[0, -1.0], [0, 1.0], [2.2, 0]]) * scale + origin
    return np.asarray(cv2.fillPoly(canvas, [nose.astype(np.int32)], INK, cv2.LINE_AA), np.uint8)


def thermal_view(infrared: NDArray[Any], width: int, height: int) -> RGB:
    """The infrared image from cold (dark) to warm (bright), stretched between its 1st and 99.8th percentile."""
    low, high = np.percentile(infrared, (1, 99.8))
    grey = np.clip((infrared.astype(np.float32) - low) / max(high - low, 1.0) * 255, 0, 255).astype(np.uint8)
    return _resize(_coloured(grey, cv2.COLORMAP_INFERNO), width, height)


def depth_view(depth: NDArray[np.float32], width: int, height: int) -> RGB:
    """The depth image by distance; dark where unknown."""
    depth = np.asarray(cv2.resize(depth, (width, height), interpolation=cv2.INTER_NEAREST), np.float32)
    view = _by_distance(np.nan_to_num(depth, nan=FAR_M).reshape(-1)).reshape(height, width, 3)
    view[~np.isfinite(depth)] = BACKDROP
    return view


def further_view(frame: Frame, sensor: str, width: int, height: int) -> RGB:
    """What the network is given of a sensor beside MODALITIES: its first channel, and dark where it says nothing."""
    code = SPECS[sensor].code
    if code is None or sensor not in frame.extra:
        return _blank(width, height)
    what, *_, valid = code(Scene(frame), width, height)
    view = _coloured(255 - what, cv2.COLORMAP_TURBO)
    view[valid == 0] = BACKDROP
    return view


def drive_panel(
    frame: Frame,
    labels: NDArray[np.uint8] | None,
    title: str,
    note: str = "",
    sensors: Collection[str] | None = None,
    classes: Classes = CLASSES,
    instances: NDArray[np.uint16] | None = None,
) -> RGB:
    """One picture of a frame: the image with its masks above, the other sensors below, and a legend.

    labels: None for a frame without an answer; the picture then says so. title and note: left and right in the legend
    line. sensors: the modalities with a panel, even if this frame lacks them, so that all pictures of a drive have the
    same size; by default those of the frame. instances: of `Prediction`, each drawn with its number.
    """
    sensors = frame.modalities if sensors is None else sensors
    width, height = frame.size
    main_height = round(WIDTH * height / width)
    view = _resize(base(frame), WIDTH, main_height)
    if labels is not None:
        scaled = cv2.resize(labels, (WIDTH, main_height), interpolation=cv2.INTER_NEAREST)
        view = overlay(view, np.asarray(scaled, np.uint8), classes=classes)
    if instances is not None:
        scaled = cv2.resize(instances, (WIDTH, main_height), interpolation=cv2.INTER_NEAREST)
        view = outlined(view, np.asarray(scaled, np.uint16))
    name = "camera + masks" if frame.rgb is not None else "masks"
    view = captioned(view, name if labels is not None else "no answer for this frame")

    w, h = WIDTH // 2, round(WIDTH / 2 * 188 / 621)
    small: list[RGB] = []
    if "lidar" in sensors:
        small.append(captioned(lidar_view(frame, w, h), "LiDAR, by distance"))
    if "infrared" in sensors:
        thermal = _blank(w, h) if frame.infrared is None else thermal_view(frame.infrared, w, h)
        small.append(captioned(thermal, "thermal"))
    if "lidar" in sensors:
        small.append(captioned(bird_view(frame, labels, w, h, classes=classes), "LiDAR from above, by class"))
    if "depth" in sensors:
        depth = _blank(w, h) if frame.depth is None else depth_view(frame.depth, w, h)
        small.append(captioned(depth, "depth"))
    small += [captioned(further_view(frame, name, w, h), SPECS[name].title) for name in FURTHER if name in sensors]
    if len(small) % 2:
        small.append(_blank(w, h))
    rows = [np.hstack(small[i : i + 2]) for i in range(0, len(small), 2)]
    return np.vstack([view, *rows, _legend(title, note, classes)])


def montage(images: list[RGB], columns: int = 2, width: int = 1800) -> RGB:
    """The images (all of one size) in a grid of so many columns, so many pixels across."""
    gap = 6
    cell = (width - gap * (columns - 1)) // columns
    height = round(cell * images[0].shape[0] / images[0].shape[1])
    rows = -(-len(images) // columns)
    canvas = _blank(cell * columns + gap * (columns - 1), height * rows + gap * (rows - 1))
    for index, image in enumerate(images):
        y, x = (index // columns) * (height + gap), (index % columns) * (cell + gap)
        canvas[y : y + height, x : x + cell] = _resize(image, cell, height)
    return canvas


def base(frame: Frame) -> RGB:
    """What the masks are drawn on: the camera's image, else the thermal one in grey, else nothing."""
    if frame.rgb is not None:
        return frame.rgb
    if frame.infrared is not None:
        view = thermal_view(frame.infrared, *frame.size)
        return np.asarray(cv2.cvtColor(cv2.cvtColor(view, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)
    return _blank(*frame.size)


def _dots(canvas: RGB, u: NDArray[Any], v: NDArray[Any], colours: RGB, order: NDArray[Any]) -> None:
    """Draw 2×2 pixels per point; those with a higher `order` cover the others."""
    first = np.argsort(order, kind="stable")
    u, v, colours = u[first].astype(int), v[first].astype(int), colours[first]
    height, width = canvas.shape[:2]
    for dy in (0, 1):
        for dx in (0, 1):
            inside = (u + dx >= 0) & (u + dx < width) & (v + dy >= 0) & (v + dy < height)
            canvas[v[inside] + dy, u[inside] + dx] = colours[inside]


def _by_distance(metres: NDArray[Any]) -> RGB:
    """(N,) metres → (N, 3) colours, near red, far blue."""
    span = np.log(FAR_M / NEAR_M)
    nearness = 1 - np.log(np.clip(metres, NEAR_M, FAR_M) / NEAR_M) / span
    return _coloured((40 + nearness * 200).astype(np.uint8)[:, None], cv2.COLORMAP_TURBO)[:, 0]


def _coloured(grey: NDArray[np.uint8], colormap: int) -> RGB:
    return np.asarray(cv2.cvtColor(cv2.applyColorMap(grey, colormap), cv2.COLOR_BGR2RGB), np.uint8)


def _resize(image: RGB, width: int, height: int) -> RGB:
    if image.shape[:2] == (height, width):
        return image
    shrinks = width * height < image.shape[0] * image.shape[1]
    return np.asarray(
        cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def _blank(width: int, height: int) -> RGB:
    return np.full((height, width, 3), BACKDROP, np.uint8)


def captioned(image: RGB, text: str) -> RGB:
    """The image with a small caption in its upper left corner, on a dark ground."""
    drawn = Image.fromarray(image)
    pen = ImageDraw.Draw(drawn, "RGBA")
    box = pen.textbbox((10, 7), text, font=_font(14))
    pen.rectangle((box[0] - 6, box[1] - 4, box[2] + 6, box[3] + 4), fill=(*BACKDROP, 170))
    pen.text((10, 7), text, fill=INK, font=_font(14))
    return np.array(drawn)


def _legend(title: str, note: str, classes: Classes) -> RGB:
    line = Image.fromarray(_blank(WIDTH, 40 + WIDTH % 2))
    pen = ImageDraw.Draw(line)
    pen.text((12, 20), title, fill=INK, font=_font(16), anchor="lm")
    x = 430
    for name, class_id in classes.foreground.items():
        pen.rectangle((x, 12, x + 16, 28), fill=tuple(classes.palette[class_id].tolist()))
        pen.text((x + 24, 20), name, fill=INK, font=_font(15), anchor="lm")
        x += 44 + int(pen.textlength(name, _font(15)))
    pen.text((WIDTH - 12, 20), note, fill=FADED, font=_font(15), anchor="rm")
    return np.array(line)


@lru_cache(maxsize=8)
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """DejaVu, which matplotlib brings; without it Pillow's own, which has few letters beyond ASCII."""
    try:
        import matplotlib
    except ImportError:
        return ImageFont.load_default(size)
    return ImageFont.truetype(f"{matplotlib.get_data_path()}/fonts/ttf/DejaVuSans.ttf", size)
