# SPDX-License-Identifier: Apache-2.0
"""The time inside a serialised message, read and changed without decoding the rest."""

from __future__ import annotations

import struct

from perception.errors import MessageError

_OFFSET = 4
"""A header's stamp comes after the four bytes that describe the message's encoding."""


def read_stamp(data: bytes) -> int:
    """The stamp [ns] of a CDR message that begins with a std_msgs/Header. Raises MessageError if it is too short."""
    if len(data) < _OFFSET + 8:
        raise MessageError(f"message of {len(data)} bytes has no room for a header")
    sec, nanosec = struct.unpack_from(_layout(data), data, _OFFSET)
    return int(sec) * 1_000_000_000 + int(nanosec)


def read_frame_id(data: bytes) -> str:
    """The frame id of a CDR message that begins with a std_msgs/Header. Raises MessageError if it is too short."""
    begin = _OFFSET + 12
    length = struct.unpack_from(_layout(data)[0] + "I", data, begin - 4)[0] if len(data) >= begin else 0
    if length < 1 or len(data) < begin + length:
        raise MessageError(f"message of {len(data)} bytes has no room for a frame id")
    return data[begin : begin + length - 1].decode("utf-8", "replace")


def with_stamp(data: bytes, stamp_ns: int) -> bytes:
    """A copy of a CDR message that begins with a std_msgs/Header, with another stamp [ns]."""
    return data[:_OFFSET] + struct.pack(_layout(data), *divmod(stamp_ns, 1_000_000_000)) + data[_OFFSET + 8 :]


def _layout(data: bytes) -> str:
    return ("<" if data[1] & 1 else ">") + "iI"
