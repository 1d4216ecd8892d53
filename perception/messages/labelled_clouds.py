# SPDX-License-Identifier: Apache-2.0
"""Reads the node's own clouds, with a class id per point."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from perception.errors import MessageError
from perception.messages.buffers import as_bytes

_FORMATS = {"x": (7, "f4"), "y": (7, "f4"), "z": (7, "f4"), "label": (4, "u2")}
"""PointField.datatype and NumPy code, as `cloud_fields` writes them."""


def read_labelled(message: Any) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """PointCloud2 of the node's ~/points → (N, 3) x, y, z [m] and (N,) class ids. Raises MessageError for others."""
    fields = {field.name: field for field in message.fields}
    for name, (datatype, _) in _FORMATS.items():
        if name not in fields or fields[name].datatype != datatype:
            raise MessageError(f"fields: no '{name}' of datatype {datatype}: not a cloud of the perception node")
    data, step = as_bytes(message.data), message.point_step
    if len(data) != message.width * message.height * step:
        raise MessageError(f"data: {len(data)} bytes, but {message.width} × {message.height} points of {step}")
    order = ">" if message.is_bigendian else "<"
    try:
        kind = np.dtype(
            {
                "names": list(_FORMATS),
                "formats": [order + code for _, code in _FORMATS.values()],
                "offsets": [fields[name].offset for name in _FORMATS],
                "itemsize": step,
            }
        )
    except ValueError as error:
        raise MessageError(f"fields: {error}") from error
    cloud = data.view(kind)
    points = np.stack([cloud[name].astype(np.float32) for name in "xyz"], axis=1)
    return points, cloud["label"].astype(np.uint8)
