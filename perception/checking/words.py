# SPDX-License-Identifier: Apache-2.0
"""The node's own messages about unusable data → findings: the frames come through its `Assembler`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from perception.checking.findings import Finding, finding

RULES: tuple[tuple[str, str], ...] = (
    (r"^[\w/]+: /\S+ is (missing|of the type)", ""),
    (r"extrinsics: no TF", "tf-missing"),
    (r"looks like a body frame", "optical-frame"),
    (r"extrinsics: (no point|all points)", "lidar-out-of-view"),
    (r"view: nothing that", "frame-mismatch"),
    (r"camera: nothing on|no camera_info in this", "camera-info-missing"),
    (r"encoding: ", "encoding"),
    (r"frame_id: ", "frame-mismatch"),
    (r"taken as not rectified", "rectification-unclear"),
    (r"size: .*(but images are|of another shape|not the shape)|principal point|roi: ", "info-size"),
    (r"intensity: none", "intensity-missing"),
    (r"intensity: ", "intensity-scale"),
    (r" is frozen: ", "frozen"),
    (r"p: Tx ", ""),
    (r"no messages pair|its stamps .* never meet|stamps are zero|have the stamp of another|no calibration for", ""),
    (r"camera_info: ", "info-broken"),
    (r"(data|step|row_step|point_step|fields|size|width|format): |not a ", "message-broken"),
)
"""Patterns and their findings; the first match counts; empty if another finding already says it."""


def heard_words(lines: Iterable[str], frames: int = 0) -> list[Finding]:
    """A finding for each kind of message about each topic.

    lines: "TOPIC: MESSAGE", of one frame each, or messages about the whole recording. frames: how many were checked; 0
    for messages about the whole recording.
    """
    counts, first = Counter[tuple[str, str]](), dict[tuple[str, str], str]()
    for line in lines:
        where, _, reason = line.partition(": ") if line.startswith("/") else ("", "", line)
        code = next((code for pattern, code in RULES if re.search(pattern, line)), "node-word")
        if code:
            place = where or ("lidar" if code.startswith("intensity") else "the recording")
            counts[place, code] += 1
            first.setdefault((place, code), reason)
    return [
        finding(code, place, first[place, code] + (f" ({count} of {frames} frames)" if frames else ""))
        for (place, code), count in counts.items()
    ]
