# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import small

from perception.errors import DataError
from perception.training.data.mixture import Mixture
from perception.training.data.sources import once, open_mixture, open_source


def test_a_source_has_its_samples_and_the_recipe_s_sampling(camvid: Path) -> None:
    recipe, said = small(), list[str]()
    source = open_source("camvid", camvid, recipe, said.append, labelled=True)
    sampling = recipe.sources["camvid"]
    assert len(source.samples) == 3
    assert (source.name, source.weight, source.scale) == ("camvid", sampling.weight, sampling.scale)
    assert all(sample.labels is not None for sample in source.samples)
    assert said == [f"camvid: 3 samples from {camvid}"]


def test_labels_are_left_away_where_none_are_wanted(camvid: Path) -> None:
    source = open_source("camvid", camvid, small(), lambda _: None, labelled=False)
    assert len(source.samples) == 3
    assert all(sample.labels is None and sample.probabilities is None for sample in source.samples)
    assert not source.soft


def test_a_source_of_another_name_reads_the_data_set_that_it_names(camvid: Path) -> None:
    recipe = small()
    own = {**recipe.sources, "streets": replace(recipe.sources["camvid"], dataset="camvid", weight=7.0)}
    source = open_source("streets", camvid, replace(recipe, sources=own), lambda _: None, labelled=True)
    assert (source.name, source.weight, len(source.samples)) == ("streets", 7.0, 3)


def test_what_the_recipe_does_not_know_is_refused_with_what_it_does(camvid: Path) -> None:
    with pytest.raises(DataError, match=r"'mapillary'.*camvid"):
        open_source("mapillary", camvid, small(), lambda _: None, labelled=True)


def test_a_mixture_is_as_long_as_asked_for_and_repeats_itself(camvid: Path) -> None:
    first, again, other = (open_mixture(small(), [("camvid", camvid)], 5, seed, lambda _: None) for seed in (0, 0, 1))
    assert len(first) == 5
    assert [source.name for source in first.sources] == ["camvid"]
    assert all((first[i]["rgb"] == again[i]["rgb"]).all() for i in range(5))
    assert any((first[i]["rgb"] != other[i]["rgb"]).any() for i in range(5))


def test_samples_that_a_network_cannot_see_are_left_out(camvid: Path) -> None:
    said = list[str]()
    with pytest.raises(DataError, match="no labelled sample of camvid"):
        open_source("camvid", camvid, small(), said.append, labelled=True, sensors=("lidar",))
    assert said[-1] == "camvid: 3 samples left out, which have no lidar"


def test_instances_that_no_sample_has_are_refused(camvid: Path) -> None:
    with pytest.raises(DataError, match="camvid: no sample has instances"):
        open_mixture(small(), [("camvid", camvid)], 5, 0, lambda _: None, instances=True)


def test_sets_are_read_once_for_networks_of_the_same_sensors(camvid: Path) -> None:
    opened = once(open_source)
    said: list[str] = []

    def mixture(sensors: tuple[str, ...]) -> Mixture:
        return open_mixture(small(), [("camvid", camvid)], 5, 0, said.append, sensors=sensors, source=opened)

    first, again, other = (mixture(sensors) for sensors in (("rgb",), ("rgb",), ("rgb", "depth")))
    assert again.sources[0] is first.sources[0]
    assert other.sources[0] is not first.sources[0]
    assert len(said) == 2
