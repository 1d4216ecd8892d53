# SPDX-License-Identifier: Apache-2.0
"""The table of sensors: every name in it exists, and hand-written lists elsewhere agree with it."""

from __future__ import annotations

import ast
import inspect
import re
from itertools import combinations
from pathlib import Path

import pytest
import yaml

from perception.errors import ModelError
from perception.frame import MODALITIES, Frame
from perception.sensors.spec import FURTHER, SPECS, Late, SensorSpec, sensors_of

ROOT = Path(__file__).resolve().parents[2]

ARGUMENTS = {"code": 3, "dull": 1, "lose": 3, "speckle": 3}
"""The number of arguments of a sensor's functions."""

FUNCTIONS = [
    pytest.param(spec, name, id=f"{spec.name}-{name}")
    for spec in SPECS.values()
    for name, value in vars(spec).items()
    if isinstance(value, Late)
]


@pytest.mark.parametrize(("spec", "name"), FUNCTIONS)
def test_what_the_table_names_is_there_and_takes_what_it_is_given(spec: SensorSpec, name: str) -> None:
    function = getattr(spec, name).function
    assert callable(function)
    if name in ARGUMENTS:
        assert len(inspect.signature(function).parameters) == ARGUMENTS[name]


def test_the_nouns_have_a_field_for_each_sensor_that_every_network_counts() -> None:
    assert tuple(SPECS)[: len(MODALITIES)] == MODALITIES
    fields = inspect.signature(Frame).parameters
    assert all(SPECS[name].field in fields for name in MODALITIES)
    assert all(SPECS[name].field is None and SPECS[name].read for name in FURTHER)


def test_every_set_of_sensors_has_its_own_number_of_channels() -> None:
    sets = [(*MODALITIES, *more) for k in range(len(FURTHER) + 1) for more in combinations(FURTHER, k)]
    for sensors in sets:
        assert sensors_of(len(sensors), sum(len(SPECS[name].channels) for name in sensors)) == sensors
    with pytest.raises(ModelError, match="a network for 4 sensors with 11 channels: no set of rgb, depth"):
        sensors_of(4, 11)
    assert sensors_of(1, 0) == ("rgb",)


def test_the_channels_of_the_shipped_weights_stay_where_they_are() -> None:
    assert [SPECS[name].channels for name in MODALITIES] == [
        (),
        ("log depth", "height", "valid"),
        ("intensity", "rank", "valid"),
        ("log depth", "height", "intensity", "valid"),
    ]


def test_the_network_configs_have_the_channels_of_the_table() -> None:
    for path in sorted((ROOT / "configs/models").glob("*.py")):
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [each for each in getattr(call, "keywords", ()) if each.arg == "modalities"]
            for modalities in names:
                given = {each.arg: ast.literal_eval(each.value) for each in modalities.value.keywords}
                assert given == {name: len(SPECS[name].channels) for name in given}, path
                assert tuple(given)[:3] == MODALITIES[1:] or set(given) <= set(FURTHER), path


def test_triggers_and_colours_are_no_two_alike() -> None:
    for what in ("rank", "colour", "title", "noun"):
        assert len({getattr(spec, what) for spec in SPECS.values()}) == len(SPECS), what


def test_the_nodes_parameters_are_in_the_file_of_defaults() -> None:
    content = yaml.safe_load((ROOT / "configs/node/default.yaml").read_text("utf-8"))["/**"]["ros__parameters"]
    for name, spec in SPECS.items():
        assert content[name]["timeout_s"] == spec.timeout_s
        assert content[name]["enabled"] is True


def test_live_view_knows_every_sensor_in_the_order_of_the_triggers() -> None:
    from perception.assembly.live_pairing import ORDER
    from perception.assembly.pairing import TRIGGER_ORDER

    assert [name for name in ORDER if name in SPECS] == [name for name in TRIGGER_ORDER if name in MODALITIES]


def test_rviz_shows_inputs_that_there_are() -> None:
    from perception.assembly.settings.topics import INPUT_TOPICS

    shown = re.findall(r"Value: /([\w/]+)", (ROOT / "configs/rviz/perception.rviz").read_text("utf-8"))
    inputs = {topic for topic in shown if not topic.startswith(("perception/", "kitti/"))}
    assert inputs
    assert inputs <= set(INPUT_TOPICS)


def test_the_documents_name_every_input() -> None:
    from perception.assembly.settings.topics import INPUT_TOPICS

    told = "".join((ROOT / path).read_text("utf-8") for path in ("docs/topics.md", "docs/inputs.md"))
    assert [name for name in INPUT_TOPICS if f"`{name}`" not in told and f"`/{name}`" not in told] == []


def test_a_rig_file_has_a_heading_for_every_sensor() -> None:
    from perception.recordings.rig_file import _TITLES

    assert all(any(topic.startswith(title) for title in _TITLES) for spec in SPECS.values() for topic in spec.topics)
