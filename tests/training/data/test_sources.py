# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("mmseg")

from helpers.recipes import small

from perception.errors import DataError
from perception.frame import Frame
from perception.sample import Sample
from perception.training.data.mixture import Mixture
from perception.training.data.sources import few_labelled, once, open_mixture, open_source
from perception.training.recipe import MeanTeaching


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


def test_a_smaller_share_of_labels_is_a_part_of_a_larger_one() -> None:
    frame, labels = Frame(0, np.zeros((4, 4, 3), np.uint8)), np.ones((4, 4), np.uint8)
    samples = [Sample(f"{number}", frame, labels) for number in range(100)]
    few, rest = few_labelled(samples, 0.05)
    more, _ = few_labelled(samples[::-1], 0.2)
    names = [sample.name for sample in few]
    assert (len(few), len(rest), len(more)) == (5, 95, 20)
    assert {*names} < {sample.name for sample in more}
    assert names == ["39", "49", "51", "55", "65"]
    assert all(sample.labels is None and sample.name not in names for sample in rest)
    assert len(few_labelled(samples[:3], 0.05)[0]) == 1


def test_those_without_labels_are_drawn_where_somebody_else_teaches_them(camvid: Path) -> None:
    recipe = small()
    own = {**recipe.sources, "camvid": replace(recipe.sources["camvid"], labels=0.4, tiles=1)}
    recipe, data = replace(recipe, sources=own), [("camvid", camvid)]
    alone = open_mixture(recipe, data, 20, 0, lambda _: None)
    assert (len(alone.sources[0].samples), len(alone.sources[0].unlabelled)) == (1, 0)
    taught = open_mixture(replace(recipe, mean_teacher=MeanTeaching()), data, 40, 0, lambda _: None, whole=True)
    assert (len(taught.sources[0].samples), len(taught.sources[0].unlabelled)) == (1, 2)
    unknown = sum(bool((taught[i]["labels"] == 255).all()) for i in range(40))
    assert 10 < unknown < 30


def test_weak_labels_take_the_place_of_full_ones(camvid: Path) -> None:
    recipe = small()
    shares = {}
    for weak in (None, "boxes", "scribbles"):
        own = {**recipe.sources, "camvid": replace(recipe.sources["camvid"], weak=weak)}
        source = open_source("camvid", camvid, replace(recipe, sources=own), lambda _: None, labelled=True)
        shares[weak] = float(np.mean([sample.labels != 255 for sample in source.samples]))
    assert shares["scribbles"] < 0.2 < shares["boxes"] <= shares[None]


def test_sets_are_read_once_for_networks_of_the_same_sensors(camvid: Path) -> None:
    opened = once(open_source)
    said: list[str] = []

    def mixture(sensors: tuple[str, ...]) -> Mixture:
        return open_mixture(small(), [("camvid", camvid)], 5, 0, said.append, sensors=sensors, source=opened)

    first, again, other = (mixture(sensors) for sensors in (("rgb",), ("rgb",), ("rgb", "depth")))
    assert again.sources[0] is first.sources[0]
    assert other.sources[0] is not first.sources[0]
    assert len(said) == 2
