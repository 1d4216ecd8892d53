# SPDX-License-Identifier: Apache-2.0
"""Matrices → the geometry_msgs of a bag: quaternions, transforms, poses, and the TFMessage of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perception import rigid
from perception.bags.raw import RawMessage, header, make, raw

Link: TypeAlias = tuple[str, str, NDArray[np.float64]]
"""(parent, child, matrix): the pose of the frame `child`. matrix: (4, 4), child's points → the parent's, metres."""


def vector(values: Iterable[float], kind: str = "Vector3") -> Any:
    """A geometry_msgs Vector3, or Point."""
    x, y, z = (float(value) for value in values)
    return make(f"geometry_msgs/msg/{kind}", x=x, y=y, z=z)


def quaternion(rotation: NDArray[np.float64]) -> Any:
    """A geometry_msgs/Quaternion: see `perception.rigid.quaternion`."""
    x, y, z, w = rigid.quaternion(rotation)
    return make("geometry_msgs/msg/Quaternion", x=x, y=y, z=z, w=w)


def pose(matrix: NDArray[np.float64]) -> Any:
    """A geometry_msgs/Pose of the (4, 4) rigid motion."""
    position = vector(matrix[:3, 3], "Point")
    return make("geometry_msgs/msg/Pose", position=position, orientation=quaternion(matrix[:3, :3]))


def serialise_links(topic: str, stamp_ns: int, links: Iterable[Link]) -> RawMessage:
    """One TFMessage of all the links, at one stamp."""
    transforms = [
        make(
            "geometry_msgs/msg/TransformStamped",
            header=header(stamp_ns, parent),
            child_frame_id=child,
            transform=make(
                "geometry_msgs/msg/Transform",
                translation=vector(matrix[:3, 3]),
                rotation=quaternion(matrix[:3, :3]),
            ),
        )
        for parent, child, matrix in links
    ]
    return raw(topic, "tf2_msgs/msg/TFMessage", stamp_ns, {"transforms": transforms})
