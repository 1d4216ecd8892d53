# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest
from helpers.training.compared import report, row

from perception.comparing.report import CompareReport
from perception.comparing.tables import check_document, fill, notes, ordered, read_published, tables
from perception.errors import DataError

DUAL = ("rgb", "depth", "infrared", "lidar")


@pytest.fixture
def found() -> CompareReport:
    return report(far=row(0.9, training=None), unet=row(0.5, 1.0), dual_unet=row(0.6, 1.5, DUAL), slow=row(0.4, 3.0))


def test_rows_are_the_best_first_and_others_weights_last(found: CompareReport) -> None:
    assert ordered(found) == ["dual_unet", "unet", "slow", "far"]
    made = tables(found, {"unet": "[12.3](https://example.org)"})
    first, second, _, last = made["networks"].rows
    assert first == (
        "**`dual_unet`**", "1.23", "4.6", "1.50", "70.0", "60.0", "50.0", "60.0", "–", "+5.0", "2.0", "–", "–",
        "0.01, SGD", "9", "–",
    )  # fmt: skip
    assert (second[0], second[9], second[-1]) == ("**`unet`**", "–", "[12.3](https://example.org)")
    assert (last[0], last[-3], last[-2]) == ("`far`", "trained elsewhere", "–")
    assert made["fusion"].header == ("network", "real: +lidar", "real: all")
    assert made["fusion"].rows == [("`dual_unet`", "+5.0", "+5.0")]
    assert "fusion" not in tables(report(unet=row()), {})


def test_notes_say_what_was_trained_scored_timed_and_left_out(found: CompareReport) -> None:
    found.left_out = {"fcn": "diverged"}
    found.networks["old"] = row()
    said = " ".join(notes(found))
    for words in (
        "9it each, recipe `scratch` on camvid, seed 0, 2 crops of 64×64",
        "Real: camvid (val, 2 frames)",
        "1248×384, 2 threads of c, as a ratio to PIDNet-S (10 ms)",
        "Not scored on these frames: old.",
        "Left out: fcn, diverged.",
    ):
        assert words in said
    assert notes(CompareReport()) == []


def test_the_document_is_filled_between_its_markers_alone(found: CompareReport, tmp_path: Path) -> None:
    document = tmp_path / "zoo.md"
    document.write_text("Before.\n<!-- zoo:begin -->\nformer\n<!-- zoo:end -->\nAfter.\n")
    fill(document, found, {})
    once = document.read_text("utf-8")
    assert "former" not in once
    assert once.startswith("Before.\n<!-- zoo:begin -->\n\n| network | M |")
    assert once.endswith("\n\n<!-- zoo:end -->\nAfter.\n")
    fill(document, found, {})
    assert document.read_text("utf-8") == once
    document.write_text("nothing")
    with pytest.raises(DataError, match="no place for the tables; write <!-- zoo:begin -->"):
        check_document(document)


def test_published_figures_are_links_and_ours_can_be_read(tmp_path: Path) -> None:
    assert isinstance(read_published(), dict)
    path = tmp_path / "published.yaml"
    path.write_text("unet:\n  figure: 12.3 %\n  source: https://example.org/unet\n")
    assert read_published(path) == {"unet": "[12.3 %](https://example.org/unet)"}
    path.write_text("unet: 12.3\n")
    with pytest.raises(DataError, match=r"expected NAME: \{figure: …, source: URL\}"):
        read_published(path)
