# SPDX-License-Identifier: Apache-2.0
from collections.abc import Callable

import numpy as np
import pytest

from perception.simulation.scene import Mesh
from perception.simulation.things import vegetation
from perception.simulation.things.materials import MATERIALS

Maker = Callable[[int, int], Mesh]


@pytest.mark.parametrize(
    ("maker", "low", "high"),
    [
        (vegetation.tree, 5.5, 10.0),
        (vegetation.conifer, 7.5, 10.0),
        (vegetation.bush, 0.8, 2.2),
        (vegetation.far_tree, 4, 10),
    ],
)
@pytest.mark.parametrize("variant", range(vegetation.VARIANTS))
def test_plants_have_their_height_and_many_leaves(maker: Maker, low: float, high: float, variant: int) -> None:
    mesh = maker(variant, 0)
    assert low < mesh.vertices[:, 2].max() < high
    leafy = np.array([MATERIALS[m].texture == "leaves" for m in mesh.materials])
    assert leafy.sum() > 200
    assert len(mesh.triangles) < 2500
    assert maker(variant, 0) is mesh


def test_variants_differ() -> None:
    assert not np.array_equal(vegetation.tree(0, 0).vertices[:50], vegetation.tree(1, 0).vertices[:50])


def test_hedge_keeps_to_its_line() -> None:
    mesh = vegetation.hedge(10.0, 1.5, 0.9, 1, 5)
    low, high = mesh.vertices.min(axis=0), mesh.vertices.max(axis=0)
    assert low[0] > -1.0
    assert high[0] < 11.0
    assert max(-low[1], high[1]) < 1.2
    assert 1.2 < high[2] < 2.0
