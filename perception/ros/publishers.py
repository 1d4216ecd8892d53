# SPDX-License-Identifier: Apache-2.0
"""The node's outputs: labels, masks, confidence, overlay and outlines, the labelled sweep and its grid; instances and
objects are in `object_publishers`. Outputs without subscribers are skipped.
"""

from __future__ import annotations

import array
import json
import time
from collections.abc import Callable, Iterator
from copy import copy
from functools import partial
from typing import Any

import cv2
import numpy as np
from geometry_msgs.msg import Point
from nav_msgs.msg import OccupancyGrid
from numpy.typing import NDArray
from rclpy.duration import Duration
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.qos_overriding_options import QoSOverridingOptions
from sensor_msgs.msg import CompressedImage, Image, PointCloud2, PointField
from std_msgs.msg import ColorRGBA, Header, String
from visualization_msgs.msg import ImageMarker

from perception.assembly.assembler import Observation
from perception.assembly.settings.parameters import Settings
from perception.assembly.throttled_log import ThrottledLog
from perception.assembly.transforms import TransformSource
from perception.classes import BACKGROUND, CLASSES, UNLABELLED, Classes
from perception.errors import PerceptionError
from perception.explanation.background import BackgroundExplainer
from perception.frame import Frame, Prediction
from perception.messages.buffers import as_bytes
from perception.messages.convert import cloud_fields, compressed_fields, image_fields, png_fields
from perception.messages.grid import near_ground, road_grid
from perception.messages.polygons import marker_fields, outlines
from perception.ros.imports import optional
from perception.ros.object_publishers import ObjectPublishers
from perception.ros.subscriptions import OVERRIDABLE
from perception.ros.watch.matching import mismatch, type_name

try:
    from rclpy.event_handler import PublisherEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import PublisherEventCallbacks

LARGE = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
"""Images and clouds, best effort: waiting for a slow reader would delay the masks for all others. Reliable subscribers
receive nothing, unless `qos_overrides.<topic>.publisher.reliability` is set to reliable."""

RELIABLE = QoSProfile(depth=5)
"""Small messages: a reliable publisher serves subscribers of both kinds."""

LATCHED = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)

COSTMAP = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL, lifespan=Duration(seconds=1))
"""As nav2's static layer subscribes. The lifespan is for layers that come later: an old grid is of another place."""

_OUTSIDE = np.array([110, 110, 110], np.uint8)
"""The colour of points that the camera does not see."""


class Publishers:
    """The node's publishers, active while the node is; their quality of service may be overridden by topic.

    model: the model that is explained, as in `Pipeline.load`. transforms: know where the grid's frame is. complaints:
    logs why a frame was not explained, and subscribers that request more than is offered. classes: each has its own
    mask, `~/NAME`. instances: whether the network tells things apart, which has outputs of its own.
    """

    def __init__(
        self,
        node: LifecycleNode,
        model: str | None = None,
        transforms: TransformSource | None = None,
        complaints: ThrottledLog | None = None,
        classes: Classes = CLASSES,
        instances: bool = False,
    ) -> None:
        def publisher(kind: Any, name: str, qos: QoSProfile = LARGE) -> Any:
            return node.create_lifecycle_publisher(
                kind,
                f"~/{name}",
                copy(qos),  # overriding changes it in place
                event_callbacks=PublisherEventCallbacks(use_default_callbacks=False),  # see `complain_of_refused`
                qos_overriding_options=QoSOverridingOptions(policy_kinds=OVERRIDABLE),
            )

        self._node, self._transforms, self._complaints, self.classes = node, transforms, complaints, classes
        self._images = {name: publisher(Image, name) for name in image_topics(classes)}
        self._sent: dict[str, Image] = {}
        self._refused = set[tuple[str, str]]()
        self._compressed = publisher(CompressedImage, "overlay/compressed")
        self._points = publisher(PointCloud2, "points")
        self._packed = {name: publisher(CompressedImage, f"{name}/compressed") for name in mask_topics(classes)}
        self._outlines = publisher(ImageMarker, "overlay/annotations", RELIABLE)
        self._grids = publisher(OccupancyGrid, "grid", COSTMAP), publisher(OccupancyGrid, "road_grid", RELIABLE)
        self._explanation = publisher(Image, "explanation")
        self._explainer = BackgroundExplainer(model, self._complain)
        self._objects: ObjectPublishers | None = None
        if instances:
            self._objects = ObjectPublishers(
                lambda kind, name, small: publisher(kind, name, RELIABLE if small else LARGE),
                classes,
                node.get_logger().warning,
            )
        # vision_msgs has no wheel: without it the same content goes out as JSON.
        self._vision_msgs = optional("vision_msgs.msg")
        info_type = self._vision_msgs.LabelInfo if self._vision_msgs else String
        self._label_info = publisher(info_type, "label_info", LATCHED)

    def destroy(self) -> None:
        """Destroy the publishers."""
        self._explainer.rest()
        for publisher in self._all:
            self._node.destroy_lifecycle_publisher(publisher)

    @property
    def _all(self) -> tuple[Any, ...]:
        others = (self._compressed, self._points, self._outlines, self._label_info, self._explanation)
        objects = self._objects.all if self._objects is not None else ()
        return (*self._images.values(), *self._packed.values(), *self._grids, *objects, *others)

    def complain_of_refused(self) -> None:
        """Log subscribers that request more than is offered and so receive nothing. To be called now and then."""
        for publisher in self._all:
            topic = publisher.topic_name
            if self._complaints is None or self._node.count_subscribers(topic) == publisher.get_subscription_count():
                continue
            for subscriber in self._node.get_subscriptions_info_by_topic(topic):
                policy, kind = mismatch(publisher.qos_profile, subscriber.qos_profile), type_name(publisher.msg_type)
                if subscriber.topic_type != kind:
                    word = f"type: a subscriber expects {subscriber.topic_type} in place of {kind} and receives nothing"
                elif policy is not None:
                    less = "best effort" if policy == "reliability" else "less"
                    word = (
                        f"QoS: a subscriber requests another {policy} and receives nothing; let it request {less}, or "
                        f"set qos_overrides.{topic}.publisher.{policy}"
                    )
                else:
                    continue
                if (topic, word) not in self._refused:
                    self._refused.add((topic, word))
                    self._complaints.warn(topic, word)

    def publish_label_info(self) -> None:
        """Publish once, also for later subscribers, which class each id is."""
        if self._vision_msgs is None:
            classes = [{"class_id": number, "class_name": name} for number, name in enumerate(self.classes.names)]
            self._label_info.publish(String(data=json.dumps({"class_map": classes, "unlabelled": UNLABELLED})))
            return
        info = self._vision_msgs.LabelInfo(threshold=0.0)
        info.header.stamp = self._node.get_clock().now().to_msg()
        info.class_map = [
            self._vision_msgs.VisionClass(class_id=number, class_name=name)
            for number, name in enumerate(self.classes.names)
        ]
        self._label_info.publish(info)

    @property
    def instances_heard(self) -> bool:
        """Whether somebody listens to an output that is made of instances."""
        return self._objects is not None and bool(self._objects.heard)

    @property
    def points_heard(self) -> bool:
        """Whether somebody listens to an output that is made of the sweep's labels."""
        return self.instances_heard or any(map(_heard, (self._points, *self._grids)))

    def publish(self, seen: Observation, prediction: Prediction, settings: Settings) -> dict[str, float]:
        """Publish every enabled output that has a subscriber. prediction: of `seen.frame`.

        Returns the milliseconds that went into `build`, making the messages, and `publish`, handing them to ROS.
        """
        began = time.perf_counter()
        messages = list(self._messages(seen, seen.returned(prediction), settings))
        if self._objects is not None:
            header = Header(stamp=seen.header.stamp, frame_id=seen.frame_id)
            messages += self._objects.messages(header, seen, prediction)
        built = time.perf_counter()
        for publisher, message in messages:
            publisher.publish(message)
        if settings.publish_explanation and _heard(self._explanation):
            header = Header(stamp=seen.header.stamp, frame_id=seen.frame_id)
            self._explainer.offer(seen.frame, partial(self._publish_explanation, header))
        else:
            self._explainer.rest()
        return {"build": 1e3 * (built - began), "publish": 1e3 * (time.perf_counter() - built)}

    def _messages(self, seen: Observation, prediction: Prediction, settings: Settings) -> Iterator[tuple[Any, Any]]:
        header = Header(stamp=seen.header.stamp, frame_id=seen.frame_id)
        labels = prediction.labels
        if settings.publish_labels:
            yield from self._mask_messages("labels", header, lambda: labels)
        if settings.publish_masks:
            for name, class_id in self.classes.foreground.items():
                yield from self._mask_messages(name, header, partial(_mask, labels, class_id))
        if settings.publish_confidence and self._heard("confidence"):
            yield self._images["confidence"], self._mono("confidence", header, prediction.confidence)
        if settings.publish_overlay and (self._heard("overlay") or _heard(self._compressed)):
            image = overlay(seen.shown, labels, settings.overlay_alpha, self.classes)
            if self._heard("overlay"):
                yield self._images["overlay"], Image(header=header, **image_fields(image, "rgb8"))
            if _heard(self._compressed):
                yield self._compressed, CompressedImage(header=header, **compressed_fields(image))
        if settings.publish_overlay and _heard(self._outlines):
            fields = marker_fields(outlines(labels, self.classes), Point, ColorRGBA, self.classes)
            yield self._outlines, ImageMarker(header=header, **fields)
        if settings.publish_points and prediction.point_labels is not None and _heard(self._points):
            assert seen.frame.points is not None  # point_labels belong to them
            colours = self.classes.colourise(prediction.point_labels)
            colours[prediction.point_labels == UNLABELLED] = _OUTSIDE
            fields = cloud_fields(
                seen.frame.points, PointField, prediction.point_labels, colours, prediction.point_confidence
            )
            yield self._points, PointCloud2(header=seen.cloud_header, **fields)
        grids = [publisher for publisher in self._grids if _heard(publisher)]
        if settings.publish_grid and prediction.point_labels is not None and grids:
            grid = self._road_grid(seen, prediction, settings)
            yield from ((publisher, grid) for publisher in grids)

    def _mask_messages(
        self, name: str, header: Header, make: Callable[[], NDArray[np.uint8]]
    ) -> Iterator[tuple[Any, Image | CompressedImage]]:
        """The image that `make` returns, as it is and as PNG, if somebody listens."""
        plain, packed = self._heard(name), _heard(self._packed[name])
        if not plain and not packed:
            return
        image = make()
        if plain:
            yield self._images[name], self._mono(name, header, image)
        if packed:
            yield self._packed[name], CompressedImage(header=header, **png_fields(image))

    def _road_grid(self, seen: Observation, prediction: Prediction, settings: Settings) -> OccupancyGrid:
        assert prediction.point_labels is not None
        header = Header(stamp=seen.cloud_header.stamp, frame_id=seen.cloud_header.frame_id)
        kept = near_ground(seen.frame, prediction.ground, settings.grid_lowest_m, settings.grid_highest_m)
        mount = None
        if self._transforms is not None and settings.grid_frame:
            mount = self._transforms.lookup(settings.grid_frame, header.frame_id)
        assert seen.frame.points is not None  # point_labels belong to them
        xyz, labels = seen.frame.points[kept, :3], self.classes.first[prediction.point_labels[kept]]
        if mount is not None:
            header.frame_id = settings.grid_frame
            xyz = xyz @ mount[:3, :3].T.astype(np.float32) + mount[:3, 3].astype(np.float32)
        cells = road_grid(xyz, labels, settings.grid_resolution_m, settings.grid_size_m)
        grid = OccupancyGrid(header=header, data=array.array("b", cells.tobytes()))
        grid.info.map_load_time, grid.info.resolution = header.stamp, settings.grid_resolution_m
        grid.info.height, grid.info.width = cells.shape
        corner = -settings.grid_resolution_m * cells.shape[0] / 2
        grid.info.origin.position.x, grid.info.origin.position.y = corner, corner
        return grid

    def _publish_explanation(self, header: Header, picture: NDArray[np.uint8]) -> None:
        self._explanation.publish(Image(header=header, **image_fields(picture, "rgb8")))

    def _complain(self, error: PerceptionError) -> None:
        if self._complaints is not None:
            self._complaints.warn("explanation", str(error))

    def _mono(self, name: str, header: Header, image: NDArray[Any]) -> Image:
        """A mono8 message in the buffer of the previous one: ROS has copied that when `publish` returned."""
        message = self._sent.get(name)
        if message is None or (message.height, message.width) != image.shape:
            message = self._sent[name] = Image(**image_fields(image, "mono8"))
        else:
            as_bytes(message.data)[:] = image.ravel()
        message.header = header
        return message

    def _heard(self, name: str) -> bool:
        return _heard(self._images[name])


def image_topics(classes: Classes) -> tuple[str, ...]:
    """The images that a node publishes, below its own name, including one for each class that has a mask."""
    return ("labels", "confidence", "overlay", *classes.foreground)


def mask_topics(classes: Classes) -> tuple[str, ...]:
    """Those of `image_topics` that are masks: of all classes in one, and one of each; they are also sent as PNG."""
    return ("labels", *classes.foreground)


def _mask(labels: NDArray[np.uint8], class_id: int) -> NDArray[np.uint8]:
    """255 where the class is: as int8, 0 minus the Boolean is -1, which is 255 as uint8; this is the fastest way."""
    return np.negative((labels == class_id).view(np.uint8))


def _heard(publisher: Any) -> bool:
    return bool(publisher.get_subscription_count())


def overlay(frame: Frame, labels: NDArray[np.uint8], alpha: float, classes: Classes = CLASSES) -> NDArray[np.uint8]:
    """(H, W, 3) uint8 RGB: the class colours over the camera's image, else the infrared image, else black.

    alpha: 0 shows only the image, 1 only the colours; the background keeps its image.
    """
    height, width = labels.shape
    if frame.rgb is not None:
        base = frame.rgb
    elif frame.infrared is not None:
        grey = cv2.resize(frame.infrared, (width, height), interpolation=cv2.INTER_AREA)
        grey = cv2.convertScaleAbs(grey, alpha=255 / max(int(grey.max()), 1))
        base = np.asarray(cv2.cvtColor(grey, cv2.COLOR_GRAY2RGB), np.uint8)
    else:
        base = np.zeros((height, width, 3), np.uint8)
    blended = np.asarray(cv2.addWeighted(base, 1 - alpha, classes.colourise(labels), alpha, 0), np.uint8)
    painted = (labels != BACKGROUND) & (labels != UNLABELLED)
    return np.asarray(cv2.copyTo(blended, painted.view(np.uint8), base.copy()), np.uint8)
