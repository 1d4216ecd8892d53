# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.bags.raw import header
from perception.bags.writer import TYPES
from perception.errors import MessageError
from perception.messages.stamps import read_frame_id, read_stamp, with_stamp

HEADER = header(1_700_000_000_123_456_789, "front_left/optical")


@pytest.mark.parametrize("little", [True, False])
def test_a_header_is_read_without_the_rest(little: bool) -> None:
    data = bytes(TYPES.serialize_cdr(HEADER, "std_msgs/msg/Header", little_endian=little)) + b"megabytes"
    assert read_stamp(data) == 1_700_000_000_123_456_789
    assert read_frame_id(data) == "front_left/optical"
    assert read_stamp(with_stamp(data, 5)) == 5
    assert read_frame_id(with_stamp(data, 5)) == "front_left/optical"


@pytest.mark.parametrize("length", [0, 11, 15, 20])
def test_a_message_that_is_too_short_says_so(length: int) -> None:
    data = bytes(TYPES.serialize_cdr(HEADER, "std_msgs/msg/Header"))[:length]
    with pytest.raises(MessageError, match=f"message of {length} bytes has no room for a frame id"):
        read_frame_id(data)
