# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

pytest.importorskip("rclpy")

from perception.errors import PerceptionError
from perception.ros.bench.listener import listener


def test_a_listener_that_cannot_listen_is_an_error() -> None:
    with pytest.raises(PerceptionError, match="ended with code 1"), listener({"/x": "no_such_msgs/msg/Thing"}):
        pass
