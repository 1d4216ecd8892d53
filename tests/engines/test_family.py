# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from perception.engines import family as families
from perception.engines import find_model
from perception.engines.family import (
    ACCURACY,
    SMALLER,
    Member,
    accuracies,
    family,
    find_member,
    input_size,
    split_name,
)
from perception.engines.manifest import digest_of
from perception.errors import ModelError

SIZES = {"small": 10, "small_int8": 9, "large": 30, "large_int8": 20}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two networks, each in float and in INT8: files that cannot be run."""
    for name, size in SIZES.items():
        (tmp_path / f"{name}.xml").write_text("graph")
        (tmp_path / f"{name}.bin").write_bytes(bytes(size))
    (tmp_path / "large.safetensors").write_bytes(b"")
    (tmp_path / "large.check.npz").write_bytes(b"")
    return tmp_path


WAYS = [f"@{scale:g}{'x2' * twice}" if twice or scale < 1 else "" for scale, twice in SMALLER]
"""The ends of the names of a network's quickest file, the slowest first."""


def every(name: str) -> list[str]:
    """The members of a network in float and INT8."""
    return [f"{name}@1x2", name, *(f"{name}_int8{way}" for way in WAYS)]


def rate(folder: Path, iou: dict[str, float]) -> None:
    rows = {
        name: {
            "weights": digest_of(folder / f"{name.partition('@')[0]}.bin"),
            "iou": {"street": {"road": value + 0.1, "vehicle": value - 0.1}},
        }
        for name, value in iou.items()
    }
    (folder / ACCURACY).write_text(json.dumps(rows))


def names(members: tuple[Member, ...]) -> list[str]:
    return [member.name for member in members]


def test_where_nothing_was_measured_large_ones_come_first_each_in_float_in_int8_and_smaller(folder: Path) -> None:
    members = family(folder=folder)
    assert names(members) == [*every("large"), *every("small")]
    assert {(member.engine, member.accuracy) for member in members} == {("openvino", None)}
    assert members[2] == Member("openvino", folder / "large_int8.xml", twice=True)


def test_a_network_that_also_tells_things_apart_is_taken_by_name_alone(folder: Path) -> None:
    for name in ("large_instances", "large_instances_int8"):
        (folder / f"{name}.xml").write_text("graph")
        (folder / f"{name}.bin").write_bytes(bytes(99))
    assert not [name for name in names(family(folder=folder)) if "instances" in name]
    assert find_model(folder / "large_instances", "auto")[1].name == "large_instances.xml"


def test_measured_ones_come_in_the_order_of_their_accuracy(folder: Path) -> None:
    members = [name for pair in zip(every("large"), every("small"), strict=True) for name in pair]
    rate(folder, {name: 0.9 - 0.01 * number for number, name in enumerate(members)})
    found = family(folder=folder)
    assert names(found) == members
    assert found[2].accuracy == pytest.approx(0.88)


def test_of_even_members_the_larger_comes_first_and_what_a_quicker_one_beats_is_left_out(folder: Path) -> None:
    large = dict(zip(every("large"), (0.780, 0.770, 0.782, 0.781, 0.770, 0.769, 0.75, 0.74, 0.7), strict=True))
    small = dict.fromkeys(every("small"), 0.7)
    rate(folder, large | small)
    even = ["large@1x2", "large_int8@1x2", "large_int8@0.85x2"]  # float loses a point to INT8 that looks twice
    quicker = ["large_int8", "large_int8@0.75", "large_int8@0.7", "large_int8@0.5", "large_int8@0.4"]
    assert names(family(folder=folder)) == [*even, *quicker, *every("small")]


@pytest.mark.parametrize("given", ["large_int8", "large_int8.xml"])
def test_a_name_may_end_with_a_part_of_the_resolution(folder: Path, given: str) -> None:
    whole, smaller = find_member(folder / given), find_member(f"{folder / given}@0.7")
    assert whole == Member("openvino", folder / "large_int8.xml")
    assert smaller == Member("openvino", folder / "large_int8.xml", 0.7)
    assert find_member(f"{folder / given}@1") == whole
    assert find_member(f"{folder / given}@1x2") == Member("openvino", folder / "large_int8.xml", twice=True)
    assert find_member(f"{folder / given}@0.5x2") == Member("openvino", folder / "large_int8.xml", 0.5, twice=True)


@pytest.mark.parametrize("scale", ["0", "0.2", "1.1", "7"])
def test_no_other_part_of_the_resolution_is_taken(folder: Path, scale: str) -> None:
    with pytest.raises(ModelError, match=f"large@{scale}: runs at 0.25 to 1 of the resolution"):
        find_member(f"{folder / 'large'}@{scale}")


@pytest.mark.parametrize(
    "given", ["models@home/large.xml", "https://me@host.example/large.xml", "large@home", "large@0.7x3", "large@x2"]
)
def test_the_at_of_a_path_is_none(given: str) -> None:
    assert split_name(given) == (given, 1.0, False)


def test_without_a_name_the_most_accurate_member_is_found(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "WEIGHTS", folder)
    assert find_member(None) == find_member("auto") == family()[0]
    with pytest.raises(ModelError, match="no engine"):
        find_member(None, "abacus")


def test_a_figure_of_other_weights_counts_for_nothing(folder: Path) -> None:
    rate(folder, {"large": 0.8, "small": 0.7})
    (folder / "large.bin").write_bytes(b"trained again")
    assert accuracies(folder) == {"small": pytest.approx(0.7)}


def test_an_engine_has_what_it_has_files_of(folder: Path) -> None:
    assert names(family("torch", folder)) == [f"large{way}" for way in WAYS]
    assert family("onnxruntime", folder) == ()


def test_the_default_is_the_most_accurate_of_the_shipped_ones(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(families, "WEIGHTS", folder)
    shipped = family()[0]
    assert find_model(None, "auto") == find_model("auto", "auto") == (shipped.engine, shipped.path)
    assert find_model("auto", "torch")[1].suffix == ".safetensors"


def test_what_is_shipped_is_a_family() -> None:
    found = family()
    assert all(member.accuracy is not None for member in found)
    assert found[0].name == "dual_branch_s@1x2"
    assert found[-1].name == "dual_branch_s_int8@0.4"


@pytest.mark.parametrize(
    ("image", "scale", "size"),
    [((1242, 375), 1.0, (1248, 384)), ((1242, 375), 0.7, (864, 256)), ((375, 1242), 0.7, (256, 864))],
)
def test_a_smaller_input_is_a_size_that_the_network_takes(
    image: tuple[int, int], scale: float, size: tuple[int, int]
) -> None:
    assert input_size(*image, scale) == size


def test_weights_alone_are_no_member(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()
    (folder / "README.md").write_text("nothing")
    assert family(folder=folder) == ()


@pytest.mark.parametrize(
    ("end", "takes"), [("", 1.0), ("@0.75", 0.59), ("@0.5", 0.31), ("@1x2", 1.73), ("@0.85x2", 1.29)]
)
def test_what_a_way_to_run_a_file_takes_is_as_measured(end: str, takes: float) -> None:
    """The times of docs/performance.md, in parts of the time of one look at the whole."""
    member = find_member(f"dual_branch_s_int8{end}", "openvino")
    assert member.base == replace(find_member("dual_branch_s_int8", "openvino"), accuracy=None)
    assert member.work == pytest.approx(takes, abs=0.05)


@pytest.mark.parametrize(("end", "aside"), [("", False), ("@0.7", False), ("@0.5", True), ("@0.5x2", False)])
def test_a_small_one_leaves_a_thread_where_the_network_has_them_all(end: str, aside: bool) -> None:
    alone = find_member(f"dual_branch_s_int8{end}", "openvino")
    crowded = replace(alone, crowded=True)
    assert not alone.aside
    assert crowded.aside == aside
    assert crowded.work == pytest.approx(alone.work * (1.75 if aside else 1))
    assert crowded.base == alone.base
