# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from helpers.fleet import HEIGHT, WIDTH, write_labelled

from perception.errors import DataError
from perception.selection.labelled import Drive, find, measure


def test_every_folder_below_is_found_once(tmp_path: Path) -> None:
    one, two = write_labelled(tmp_path, "a", 1), write_labelled(tmp_path, "b", 1)
    assert find([tmp_path]) == find([one, tmp_path / "labels"]) == [one, two]
    with pytest.raises(DataError, match=r"drives: no label\.json in it or below"):
        find([one, tmp_path / "drives"])
    with pytest.raises(DataError, match="no such folder"):
        find([tmp_path / "labls"])


def test_what_is_measured(tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, "a", 5, unsure=[1], walkers=[3], flickers=[2], overturns={0: 0.25, 4: 0.0})
    found = measure(Drive(folder))
    assert list(found.names) == ["000", "001", "002", "003", "004"]
    assert np.diff(found.stamps_ns).tolist() == [100_000_000] * 4
    np.testing.assert_allclose(found.values["sensors"], [0.25, np.nan, np.nan, np.nan, 0])
    assert found.sensors == ["lidar", "", "", "", "lidar"]
    # A quarter of the image, of which the scene leaves nothing unlabelled.
    np.testing.assert_allclose(found.values["confidence"], [0, 0.25, 0, 0, 0])
    np.testing.assert_allclose(found.values["flicker"][[0, 4]], np.nan)
    assert found.values["flicker"][2] == pytest.approx(20 * 20 / (WIDTH * HEIGHT))
    assert found.values["flicker"][1] == 0
    assert np.isnan(found.values["points"]).all(), "no sweep"
    assert found.shares[3, 3] == pytest.approx(20 * 6 / (WIDTH * HEIGHT))
    assert found.missing == []


def test_what_is_missing_is_said_in_a_word(tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, "a", 2, confidence=False)
    path = folder / "frames/000.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"modalities": ["rgb", "lidar"]}))
    found = measure(Drive(folder))
    assert found.missing == [
        "the labels of points were not written: label with --write bag",
        "confidence was not written: label with --write masks confidence",
        "no frame was cross-checked: label with --cross-check 1",
    ]
    assert np.isnan(found.values["confidence"]).all()


def test_a_gap_in_time_is_no_flicker(tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, "a", 6, flickers=[2])
    for number in range(3, 6):
        path = folder / f"frames/{number:03d}.json"
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"stamp_ns": record["stamp_ns"] + 10**10}))
    flicker = measure(Drive(folder)).values["flicker"]
    assert np.isnan(flicker).tolist() == [True, False, True, True, False, True]


def test_a_drive_of_which_nothing_is_labelled_yet(tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, "a", 1)
    (folder / "frames/000.json").unlink()
    assert len(measure(Drive(folder)).names) == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ("[]", "broken|is missing"),
        ("{", "broken"),
        ('{"input": "a"}', "classes is missing"),
    ],
)
def test_a_broken_manifest_is_refused(tmp_path: Path, change: str, word: str) -> None:
    folder = write_labelled(tmp_path, "a", 1)
    (folder / "label.json").write_text(change)
    with pytest.raises(DataError, match=word):
        measure(Drive(folder))


def test_further_classes_are_kept_and_other_first_ones_refused(tmp_path: Path) -> None:
    folder = write_labelled(tmp_path, "a", 1)
    manifest = json.loads((folder / "label.json").read_text())
    for classes in ([*manifest["classes"], "sidewalk"], ["sky", "road"]):
        (folder / "label.json").write_text(json.dumps(manifest | {"classes": classes}))
        if len(classes) > 2:
            assert Drive(folder).classes.names[4] == "sidewalk"
        else:
            with pytest.raises(DataError, match="classes sky, road, expected background"):
                _ = Drive(folder).classes


def test_a_frame_that_the_recording_lost_is_told(tmp_path: Path) -> None:
    drive = Drive(write_labelled(tmp_path, "a", 2))
    assert drive.number("001") == 1
    with pytest.raises(DataError, match="has no frame 9 any more"):
        drive.number("9")
