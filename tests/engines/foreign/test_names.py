# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from perception.engines.foreign.names import NAMES, known


def test_lists_are_whole() -> None:
    assert {name: len(names) for name, names in NAMES.items()} == {"coco": 80, "coco-91": 91, "cityscapes": 19}
    assert [name for name in NAMES["coco-91"] if name not in ("(no class)", "background")] == list(NAMES["coco"])


def test_a_known_name_is_a_whole_word() -> None:
    assert known("Person") == "pedestrian"
    assert known("tram") == "vehicle"
    assert known("sidewalk") is known("traffic light") is known("cart") is None
