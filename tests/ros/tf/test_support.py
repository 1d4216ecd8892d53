# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("rclpy")

from geometry_msgs.msg import Transform, TransformStamped

from perception.ros.tf.support import is_known, make_support

DIGEST = bytes(range(32))


def support_of(message: Any) -> Any:
    """The capsule of a message's type support."""
    kind: Any = message.__class__
    kind.__import_type_support__()
    return kind._TYPE_SUPPORT


@pytest.mark.skipif(not is_known(), reason="another rclpy than the one whose memory this knows")
def test_only_what_looks_as_expected_is_made_use_of() -> None:
    assert type(make_support(support_of(TransformStamped), DIGEST)).__name__ == "PyCapsule"
    assert make_support(support_of(Transform), DIGEST) is None
