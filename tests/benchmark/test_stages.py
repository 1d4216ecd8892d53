# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from perception.benchmark.stages import collect, medians, overhead, overhead_ratio, total


def test_stages_are_gathered_and_only_what_surrounds_the_network_is_overhead() -> None:
    spent = {"receive": 50.0, "convert": 1.0, "project": 2.0, "infer": 20.0, "publish": 1.0}
    times = collect({"frame": lambda: spent}, rounds=3, warm_up=1)["frame"]
    assert times["infer"] == [20.0] * 3
    assert overhead(times) == [4.0] * 3
    assert overhead_ratio(times) == 0.2
    assert total(times) == [74.0] * 3
    assert list(medians(times)) == ["receive", "convert", "project", "infer", "publish"]
