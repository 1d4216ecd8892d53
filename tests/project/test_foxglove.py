# SPDX-License-Identifier: Apache-2.0
"""The Foxglove layout shows what the node publishes and what `perception view --save FILE.mcap` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import foxglove
import pytest
from foxglove import layouts
from helpers.readers.topics import told_outputs

from perception.sensors.spec import SPECS
from perception.viewing.mcap import McapLog

ROOT = Path(__file__).resolve().parents[2]
LAYOUT = json.loads((ROOT / "configs/foxglove/perception.json").read_text("utf-8"))
PANELS: dict[str, dict[str, Any]] = LAYOUT["configById"]

CONFIGS: dict[str, Any] = {
    "Image": layouts.ImageConfig(),
    "3D": layouts.ThreeDeeConfig(),
    "Plot": layouts.PlotConfig(),
    "DiagnosticSummary": layouts.DiagnosticsSummaryConfig(),
}
"""The SDK's description of each kind of panel."""


def leaves(tree: Any) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
        return
    assert tree["direction"] in {"row", "column"}
    assert 0 < tree["splitPercentage"] < 100
    yield from leaves(tree["first"])
    yield from leaves(tree["second"])


def topics() -> set[str]:
    """Every topic that a panel listens to."""
    found = set()
    for name, panel in PANELS.items():
        mode = panel.get("imageMode", {})
        found |= {mode[key] for key in ("imageTopic", "calibrationTopic") if key in mode} | set(
            mode.get("annotations", ())
        )
        found |= set(panel.get("topics", ()))
        found |= {re.split(r"[.\[{]", path["value"])[0] for path in panel.get("paths", ())}
        if name.startswith("DiagnosticSummary"):
            found.add(panel["topicToRender"])
    return found


def written(path: Path) -> set[str]:
    """The topics of an MCAP file of ours."""
    seen: set[str] = set()

    def see(channel: foxglove.ChannelDescriptor) -> bool:
        seen.add(channel.topic)
        return True

    context = foxglove.Context()
    with foxglove.open_mcap(path, context=context, channel_filter=see):
        McapLog(context)
    return seen


def test_every_panel_has_its_place_and_its_settings() -> None:
    placed = list(leaves(LAYOUT["layout"]))
    assert sorted(placed) == sorted(PANELS)
    assert {name.partition("!")[0] for name in PANELS} == set(CONFIGS)


@pytest.mark.parametrize("name", PANELS)
def test_settings_are_those_that_foxglove_knows(name: str) -> None:
    known = CONFIGS[name.partition("!")[0]]._to_dict()
    assert set(PANELS[name]) <= {*known, "foxglovePanelTitle"}
    mode = set(PANELS[name].get("imageMode", ()))
    assert mode <= set(layouts.ImageModeConfig()._to_dict())
    for path in PANELS[name].get("paths", ()):
        assert set(path) <= set(layouts.PlotSeries(value="x")._to_dict())
    assert set(PANELS[name].get("cameraState", ())) <= set(layouts.ThreeDeeCameraState()._to_dict())


def test_every_topic_is_one_of_the_node_or_of_the_files(tmp_path: Path) -> None:
    node = {f"/perception/{name}" for name in told_outputs()} | {"/diagnostics"}
    inputs = (ROOT / "docs/topics.md").read_text("utf-8").partition("## Outputs")[0]
    node |= {f"/{name}" for name in re.findall(r"`([a-z][\w/]*)`", inputs)}
    files = written(tmp_path / "x.mcap")
    of_things = "/perception/objects/markers"  # in files of a network that tells things apart
    assert {topic for topic in topics() if topic not in files} == {"/diagnostics", "/points", of_things}
    assert {topic for topic in topics() if topic not in node} == {"/perception/weights", "/perception/latency"}


def test_masks_points_grid_and_the_weight_of_every_sensor_are_shown() -> None:
    shown = topics()
    assert {"/perception/overlay/compressed", "/perception/overlay/annotations"} <= shown
    assert {"/perception/points", "/perception/grid", "/depth", "/infrared", "/diagnostics"} <= shown
    values = [path["value"] for path in PANELS["Plot!weights"]["paths"]]
    for sensor in SPECS:
        assert f"/perception/weights.{sensor}" in values
        fusion = '/diagnostics.status[:]{name=="perception: fusion"}'
        assert f'{fusion}.values[:]{{key=="weight_{sensor}"}}.value' in values
