# SPDX-License-Identifier: Apache-2.0
"""What the static layer of nav2_costmap_2d makes of an OccupancyGrid, written from nav2's documentation.

https://docs.nav2.org/configuration/packages/costmap-plugins/static.html and configuring-costmaps.html: the parameters
`trinary_costmap`, `lethal_cost_threshold`, `unknown_cost_value` and `track_unknown_space`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

FREE_SPACE, LETHAL_OBSTACLE, NO_INFORMATION = 0, 254, 255


def costs(
    occupancy: NDArray[np.int8], trinary: bool = True, track_unknown: bool = True, lethal: int = 100, unknown: int = 255
) -> NDArray[np.uint8]:
    """The costs of cells. The layer reads the values as unsigned bytes: -1 is 255, its `unknown_cost_value`."""
    values = occupancy.astype(np.int8).view(np.uint8)
    between = FREE_SPACE if trinary else (values / lethal * LETHAL_OBSTACLE).astype(np.uint8)
    found = np.where(values >= lethal, LETHAL_OBSTACLE, between)
    return np.where(values == unknown, NO_INFORMATION if track_unknown else FREE_SPACE, found).astype(np.uint8)
