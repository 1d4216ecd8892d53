# SPDX-License-Identifier: Apache-2.0
"""The outputs of a network that tells things apart: the instance of each pixel, and boxes in 3D of those measured."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from builtin_interfaces.msg import Duration
from geometry_msgs.msg import Point, Pose, PoseWithCovariance, Quaternion, Vector3
from sensor_msgs.msg import Image
from std_msgs.msg import ColorRGBA, Header
from visualization_msgs.msg import Marker, MarkerArray

from perception.assembly.assembler import Observation
from perception.classes import Classes
from perception.frame import Prediction
from perception.messages.convert import image_fields
from perception.objects import Object, Tracking, find_objects
from perception.objects.boxes import BOX_ALPHA, LETTER_M
from perception.rigid import quaternion
from perception.ros.imports import optional

KEPT = Duration(sec=1)
"""How long a marker is shown, unless the next frame replaces it: where no more come, there is nothing to see."""


class ObjectPublishers:
    """publisher: makes one of a message type and a name; of small messages, if `small`. classes: of the network. say:
    is told once what keeps numbers from being stable.

    Frames are numbered only while somebody listens: whoever comes later may hear other numbers.
    """

    def __init__(
        self, publisher: Callable[[Any, str, bool], Any], classes: Classes, say: Callable[[str], object]
    ) -> None:
        self._instances = publisher(Image, "instances", False)
        self._markers = publisher(MarkerArray, "objects/markers", True)
        self._vision_msgs = optional("vision_msgs.msg")  # it has no wheel: without it there are markers alone
        self._detections = self._vision_msgs and publisher(self._vision_msgs.Detection3DArray, "objects", True)
        self._classes = classes
        self._tracking = Tracking(say)

    @property
    def all(self) -> tuple[Any, ...]:
        """The publishers."""
        return tuple(filter(None, (self._instances, self._markers, self._detections)))

    @property
    def heard(self) -> list[Any]:
        """Those that have a subscriber."""
        return [publisher for publisher in self.all if publisher.get_subscription_count()]

    def messages(self, header: Header, seen: Observation, prediction: Prediction) -> Iterator[tuple[Any, Any]]:
        """Each publisher that is heard, with its message. prediction: of `seen.frame`, with instances."""
        listened = self.heard
        if not listened or prediction.instances is None:
            return
        table = self._tracking(prediction.instances, prediction.stamp_ns)
        numbered = replace(prediction, instances=table[prediction.instances])
        if self._instances in listened:
            whole = seen.returned(numbered).instances
            assert whole is not None
            yield self._instances, Image(header=header, **image_fields(whole, "16UC1"))
        if listened == [self._instances]:
            return
        objects = find_objects(seen.frame, numbered)
        if self._markers in listened:
            yield self._markers, markers(header, objects, self._classes)
        if self._detections in listened:
            yield self._detections, detections(header, objects, self._classes, self._vision_msgs)


def markers(header: Header, objects: Sequence[Object], classes: Classes) -> MarkerArray:
    """What removes the last frame's markers, then of each object a cube, its class as namespace and its number as id,
    and a text above it: class, number, distance and score."""
    drawn = [Marker(header=header, action=Marker.DELETEALL)]
    for each in objects:
        name = classes.names[each.class_id]
        red, green, blue = (classes.palette[each.class_id] / 255).tolist()
        colour = ColorRGBA(r=red, g=green, b=blue, a=BOX_ALPHA)
        own: dict[str, Any] = dict(header=header, id=each.number, lifetime=KEPT)
        cube = Marker(ns=name, type=Marker.CUBE, pose=_pose(each), scale=_size(each), color=colour, **own)
        text = Marker(ns=f"{name}/text", type=Marker.TEXT_VIEW_FACING, **own)
        text.pose.position, text.scale.z = _point(each.above), LETTER_M
        text.color = ColorRGBA(r=1.0, g=1.0, b=1.0, a=1.0)
        text.text = each.described(classes)
        drawn += cube, text
    return MarkerArray(markers=drawn)


def detections(header: Header, objects: Sequence[Object], classes: Classes, vision_msgs: Any) -> Any:
    """A Detection3DArray: of each object its box, its class's name as class_id, and as id class and number.

    vision_msgs: the module of its messages.
    """
    found = []
    for each in objects:
        name, pose = classes.names[each.class_id], _pose(each)
        hypothesis = vision_msgs.ObjectHypothesis(class_id=name, score=each.score)
        result = vision_msgs.ObjectHypothesisWithPose(hypothesis=hypothesis, pose=PoseWithCovariance(pose=pose))
        box = vision_msgs.BoundingBox3D(center=pose, size=_size(each))
        label = f"{name} {each.number}"
        found.append(vision_msgs.Detection3D(header=header, results=[result], bbox=box, id=label))
    return vision_msgs.Detection3DArray(header=header, detections=found)


def _pose(each: Object) -> Pose:
    x, y, z, w = quaternion(each.rotation)
    return Pose(position=_point(each.centre), orientation=Quaternion(x=x, y=y, z=z, w=w))


def _point(xyz: np.ndarray[Any, Any]) -> Point:
    x, y, z = xyz.tolist()
    return Point(x=x, y=y, z=z)


def _size(each: Object) -> Vector3:
    length, width, height = each.size
    return Vector3(x=length, y=width, z=height)
