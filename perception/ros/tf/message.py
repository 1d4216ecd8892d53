# SPDX-License-Identifier: Apache-2.0
"""tf2_msgs/TFMessage for publishers and subscribers: tf2_msgs's own if installed, else one of ours, as bytes."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from rosbags.typesys import get_types_from_msg
from rosbags.typesys.store import Typestore

from perception.ros.imports import optional
from perception.ros.tf.support import is_known, make_support

TF_MESSAGE = "tf2_msgs/msg/TFMessage"

_DEFINITIONS = {
    "builtin_interfaces/msg/Time": "int32 sec\nuint32 nanosec",
    "std_msgs/msg/Header": "builtin_interfaces/Time stamp\nstring frame_id",
    "geometry_msgs/msg/Vector3": "float64 x\nfloat64 y\nfloat64 z",
    "geometry_msgs/msg/Quaternion": "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1",
    "geometry_msgs/msg/Transform": "geometry_msgs/Vector3 translation\ngeometry_msgs/Quaternion rotation",
    "geometry_msgs/msg/TransformStamped": (
        "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/Transform transform"
    ),
    TF_MESSAGE: "geometry_msgs/TransformStamped[] transforms",
}
"""TFMessage and the types it contains: loading all types of ROS 2, as for bags, takes a quarter of a second."""


class _Serialised(type):
    """The attributes that rclpy needs of a message class, for a type whose messages are bytes."""

    _TYPE_SUPPORT: Any = None


@cache
def _types() -> Typestore:
    types = Typestore()
    for name, definition in _DEFINITIONS.items():
        types.register(get_types_from_msg(definition, name))
    return types


@cache
def tf_message_class() -> Any:
    """The class for publishers of TFMessage, which take bytes; None if rclpy cannot have the type."""
    messages = optional("tf2_msgs.msg")
    return messages.TFMessage if messages is not None else _without_tf2_msgs()


def subscribe(node: Any, topic: str, take: Callable[[Any], None], qos: Any) -> bool:
    """Call `take` with the transforms of every TFMessage that arrives; False if rclpy cannot have the type.

    Bytes that are not a TFMessage are left out, with a warning in the node's log.
    """
    message_class = tf_message_class()
    if message_class is None:
        return False
    if isinstance(message_class, _Serialised):

        def read(data: bytes) -> None:
            try:
                message: Any = _types().deserialize_cdr(data, TF_MESSAGE)
            except Exception as error:  # rosbags raises whatever its generated code runs into
                node.get_logger().warning(f"{topic}: not a {TF_MESSAGE}, left out: {error!r}")
                return
            take(message.transforms)

        node.create_subscription(message_class, topic, read, qos, raw=True)
    else:
        node.create_subscription(message_class, topic, lambda message: take(message.transforms), qos)
    return True


def _without_tf2_msgs() -> Any:
    from geometry_msgs.msg import TransformStamped
    from rclpy.utilities import get_rmw_implementation_identifier

    if not is_known() or get_rmw_implementation_identifier() != "rmw_fastrtps_cpp":
        return None
    element: Any = TransformStamped.__class__
    element.__import_type_support__()
    digest = bytes.fromhex(_types().hash_rihs01(TF_MESSAGE).removeprefix("RIHS01_"))
    support = make_support(element._TYPE_SUPPORT, digest)
    if support is None:
        return None
    # rclpy requires the converters to exist, and calls none of them for bytes.
    converters = ("_CREATE_ROS_MESSAGE", "_CONVERT_FROM_PY", "_CONVERT_TO_PY", "_DESTROY_ROS_MESSAGE")
    described = {"_TYPE_SUPPORT": support, **{name: getattr(element, name) for name in converters}}
    return type("_TFMessage", (_Serialised,), described)("TFMessage", (), {})
