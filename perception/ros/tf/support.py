# SPDX-License-Identifier: Apache-2.0
"""rclpy's type support for tf2_msgs/TFMessage if tf2_msgs is not installed: there is no wheel of it.

To the middleware, a type is a set of C structures: a name, a hash, a description of its fields, and functions that
turn messages into bytes. Only these functions need compiled code, and they are not used for messages that are bytes.
So the structures of geometry_msgs/TransformStamped, which has a wheel, are copied and filled with TFMessage's names
and its only field.
"""

from __future__ import annotations

import ctypes
from ctypes import CFUNCTYPE, POINTER, Structure, c_bool, c_char_p, c_size_t, c_uint8, c_uint32, c_void_p
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_WHEEL, _RELEASE = "ros-rclpy", "7."
"""Jazzy's wheel of rclpy: the structures below are those of its build."""

_GENERAL = b"rosidl_typesupport_c"
_SERIALISATION = b"rosidl_typesupport_fastrtps_c"
_INTROSPECTION = b"rosidl_typesupport_introspection_c"
_MESSAGE = 18
"""rosidl_typesupport_introspection_c__ROS_TYPE_MESSAGE: a field that is a message."""

_GetHandle = CFUNCTYPE(c_void_p, c_void_p, c_char_p)
_GetHash = CFUNCTYPE(c_void_p, c_void_p)


class _Support(Structure):
    """rosidl_message_type_support_t."""

    _fields_ = [
        ("identifier", c_char_p),
        ("data", c_void_p),
        ("get_handle", _GetHandle),
        ("get_hash", _GetHash),
        ("get_description", c_void_p),
        ("get_sources", c_void_p),
    ]


class _Callbacks(Structure):
    """message_type_support_callbacks_t. Of the functions, only the last is called for messages that are bytes."""

    _fields_ = [
        ("namespace", c_char_p),
        ("name", c_char_p),
        ("serialise", c_void_p),
        ("deserialise", c_void_p),
        ("get_size", c_void_p),
        ("get_largest_size", c_void_p),
        ("key_callbacks", c_void_p),
    ]


class _Member(Structure):
    """rosidl_typesupport_introspection_c__MessageMember. The functions at its end are for messages in memory."""

    _fields_ = [
        ("name", c_char_p),
        ("type", c_uint8),
        ("string_upper_bound", c_size_t),
        ("support", c_void_p),
        ("is_key", c_bool),
        ("is_array", c_bool),
        ("array_size", c_size_t),
        ("is_upper_bound", c_bool),
        ("offset", c_uint32),
        ("default", c_void_p),
        ("functions", c_void_p * 6),
    ]


class _Members(Structure):
    """rosidl_typesupport_introspection_c__MessageMembers."""

    _fields_ = [
        ("namespace", c_char_p),
        ("name", c_char_p),
        ("count", c_uint32),
        ("size", c_size_t),
        ("has_key", c_bool),
        ("members", POINTER(_Member)),
        ("initialise", c_void_p),
        ("finish", c_void_p),
    ]


class _Hash(Structure):
    """rosidl_type_hash_t."""

    _fields_ = [("version", c_uint8), ("value", c_uint8 * 32)]


_kept: list[Any] = []
"""The objects that capsules point to: the middleware may read them until the process ends."""


def is_known() -> bool:
    """Whether rclpy is the wheel that `make_support` knows: an installed ROS 2 is asked for its own tf2_msgs."""
    try:
        return version(_WHEEL).startswith(_RELEASE)
    except PackageNotFoundError:
        return False


def make_support(transform_stamped: Any, digest: bytes) -> Any:
    """A capsule with TFMessage's type support, made from TransformStamped's; None if that is not as expected.

    transform_stamped: a capsule too, `_TYPE_SUPPORT` of a message's metaclass. digest: TFMessage's hash, 32 bytes.
    Call it only if `is_known`.
    """
    element = _Support.from_address(_address(transform_stamped))
    if element.identifier != _GENERAL:
        return None
    handles = [element.get_handle(ctypes.addressof(element), kind) for kind in (_SERIALISATION, _INTROSPECTION)]
    if None in handles:
        return None
    serialisation, introspection = (_Support.from_address(handle) for handle in handles)
    callbacks = _Callbacks.from_buffer_copy(_Callbacks.from_address(serialisation.data or 0))
    members = _Members.from_buffer_copy(_Members.from_address(introspection.data or 0))
    expected = [(b"geometry_msgs::msg", b"TransformStamped"), (b"geometry_msgs__msg", b"TransformStamped")]
    if [(callbacks.namespace, callbacks.name), (members.namespace, members.name)] != expected:
        return None

    callbacks.namespace, callbacks.name = b"tf2_msgs::msg", b"TFMessage"
    transforms = _Member(b"transforms", _MESSAGE, 0, ctypes.addressof(element), False, True)  # a list without bounds
    members.namespace, members.name = b"tf2_msgs__msg", b"TFMessage"
    members.count, members.members = 1, ctypes.pointer(transforms)
    known = _Hash(1, (c_uint8 * 32)(*digest))

    addresses: dict[bytes, int] = {}
    get_handle = _GetHandle(lambda _, kind: addresses.get(kind, 0))
    get_hash = _GetHash(lambda _: ctypes.addressof(known))
    rest = element.get_description, element.get_sources
    made = {
        kind: _Support(kind, ctypes.addressof(data), get_handle, get_hash, *rest)
        for kind, data in ((_SERIALISATION, callbacks), (_INTROSPECTION, members))
    }
    addresses |= {kind: ctypes.addressof(support) for kind, support in made.items()}
    _kept.extend((made, callbacks, members, transforms, known, get_handle, get_hash))
    return _capsule(addresses[_SERIALISATION])


def _address(capsule: Any) -> int:
    get = ctypes.pythonapi.PyCapsule_GetPointer
    get.argtypes, get.restype = [ctypes.py_object, c_char_p], c_void_p
    address: int = get(capsule, None)
    return address


def _capsule(address: int) -> Any:
    new = ctypes.pythonapi.PyCapsule_New
    new.argtypes, new.restype = [c_void_p, c_char_p, c_void_p], ctypes.py_object
    return new(address, None, None)
