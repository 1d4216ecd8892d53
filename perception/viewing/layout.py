# SPDX-License-Identifier: Apache-2.0
"""The entities of a Rerun recording, and the viewer's windows, class names and colours for them."""

from __future__ import annotations

import numpy as np
import rerun as rr
import rerun.blueprint as rrb

from perception.classes import CLASSES, UNLABELLED, Classes
from perception.labelling.clouds import point_colours
from perception.sensors.spec import SPECS

APPLICATION = "perception"

WORLD, CAMERA = "world", "world/camera"
RGB, LABELS, POINTS = f"{CAMERA}/rgb", f"{CAMERA}/labels", f"{WORLD}/points"
INSTANCES, OBJECTS = f"{CAMERA}/instances", f"{WORLD}/objects"
INFRARED, DEPTH = "infrared", "depth"
WEIGHTS, LATENCY, SHARE = "weights", "latency", "share"
"""Entities. `world` is the LiDAR's frame; infrared and depth may have a resolution of their own, so are beside it."""

STAMP, FRAME = "stamp", "frame"
"""Timelines: the sensor's stamp, and the number of the frame in its recording."""

STAGE_COLOURS = ((120, 200, 255), (160, 230, 140), (255, 190, 90), (230, 130, 210), (250, 90, 90), (230, 230, 230))
"""RGB of the parts of the latency, in order."""


def describe(recording: rr.RecordingStream, classes: Classes = CLASSES) -> None:
    """Log what never changes, and send the layout. classes: of the labels."""
    recording.send_blueprint(blueprint())
    points = [_class(number, name, classes) for number, name in enumerate(classes.names)]
    recording.log(
        "/", rr.AnnotationContext([*points, _class(UNLABELLED, "not seen by the camera", classes)]), static=True
    )
    # On the image, what has no mask stays as the camera saw it.
    masks = [_class(number, name, classes, alpha=255) for name, number in classes.foreground.items()]
    others = {name: number for number, name in enumerate(classes.names) if name not in classes.foreground}
    others["unlabelled"] = UNLABELLED
    clear = [_class(number, name, classes, alpha=0) for name, number in others.items()]
    recording.log(LABELS, rr.AnnotationContext([*clear, *masks]), static=True)
    recording.log(WORLD, rr.ViewCoordinates.FLU, static=True)
    for name, spec in SPECS.items():
        style(recording, WEIGHTS, name, tuple(bytes.fromhex(spec.colour[1:])))
    for name, number in classes.foreground.items():
        style(recording, SHARE, name, tuple(classes.palette[number].tolist()))


def style(recording: rr.RecordingStream, group: str, name: str, colour: tuple[int, ...]) -> None:
    """Set the style of the time series group/name."""
    recording.log(f"{group}/{name}", rr.SeriesLines(names=name, colors=[colour], widths=[1.5]), static=True)


def blueprint() -> rrb.Blueprint:
    """Camera with masks and the sweep large, thermal and depth beneath, the time series at the side."""
    behind = rrb.EyeControls3D(position=(-14.0, 0.0, 9.0), look_target=(14.0, 0.0, 0.0), eye_up=(0.0, 0.0, 1.0))
    scene = rrb.Spatial3DView(
        name="LiDAR by class",
        origin=WORLD,
        contents=[f"+ {WORLD}/**", f"- {LABELS}", f"- {INSTANCES}"],
        eye_controls=behind,
        line_grid=rrb.LineGrid3D(visible=False),
    )
    images = rrb.Horizontal(
        rrb.Spatial2DView(name="thermal", origin=INFRARED), rrb.Spatial2DView(name="depth", origin=DEPTH)
    )
    camera = rrb.Spatial2DView(
        name="camera with masks", origin=CAMERA, contents=[f"+ {RGB}", f"+ {LABELS}", f"+ {INSTANCES}"]
    )
    series = rrb.Vertical(
        rrb.TimeSeriesView(name="weight of each sensor", origin=WEIGHTS),
        rrb.TimeSeriesView(name="latency [ms]", origin=LATENCY),
        rrb.TimeSeriesView(name="share of the image [%]", origin=SHARE),
    )
    left = rrb.Vertical(camera, scene, images, row_shares=[3, 4, 2])
    return rrb.Blueprint(
        rrb.Horizontal(left, series, column_shares=[7, 3]),
        rrb.SelectionPanel(state=rrb.PanelState.Collapsed),
        rrb.BlueprintPanel(state=rrb.PanelState.Collapsed),
        rrb.TimePanel(state=rrb.PanelState.Collapsed, timeline=STAMP),
    )


def _class(number: int, name: str, classes: Classes, alpha: int | None = None) -> rr.AnnotationInfo:
    colour = point_colours(np.array([number], np.uint8), classes)[0].tolist()
    return rr.AnnotationInfo(number, name, [*colour, 255 if alpha is None else alpha])
