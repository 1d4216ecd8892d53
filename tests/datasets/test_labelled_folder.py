# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from perception.datasets.labelled_folder import LabelledFolder
from perception.datasets.registry import open_dataset
from perception.errors import DataError


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two images, of which the first has labels: ids 0, 1, 2, 7 and 255 in its first row."""
    (tmp_path / "image").mkdir()
    (tmp_path / "labels").mkdir()
    for name in ("a", "b"):
        cv2.imwrite(str(tmp_path / f"image/{name}.png"), np.full((6, 8, 3), 50, np.uint8))
    ids = np.zeros((6, 8), np.uint8)
    ids[0, :5] = 0, 1, 2, 7, 255
    cv2.imwrite(str(tmp_path / "labels/a.png"), ids)
    return tmp_path


def test_ids_are_ours_without_a_map(root: Path) -> None:
    first, second = open_dataset("folder", root)
    assert first.labels is not None
    assert first.labels[0, :5].tolist() == [0, 1, 2, 255, 255]
    assert (first.name, first.frame.modalities) == ("a", ("rgb",))
    assert second.labels is None


def test_a_map_gives_other_ids_their_class(root: Path) -> None:
    (root / "classes.yaml").write_text("7: pedestrian\n2: road\n255: unlabelled\n")
    labels = LabelledFolder(root)[0].labels
    assert labels is not None
    assert labels[0, :5].tolist() == [0, 0, 1, 3, 255]


def test_mistakes_are_explained(root: Path) -> None:
    (root / "classes.yaml").write_text("7: person\n")
    with pytest.raises(DataError, match=r"classes\.yaml: 7: no class 'person'; the classes are background, road"):
        LabelledFolder(root)
    (root / "classes.yaml").write_text("road: 7\n")
    with pytest.raises(DataError, match="expected lines such as '26: vehicle'"):
        LabelledFolder(root)
    (root / "classes.yaml").unlink()
    cv2.imwrite(str(root / "labels/a.png"), np.zeros((3, 3), np.uint8))
    with pytest.raises(DataError, match=r"a\.png: .* as large as its image"):
        LabelledFolder(root)[0]
    (root / "labels/a.png").unlink()
    with pytest.raises(DataError, match=r"labels: no NAME\.png for any image"):
        LabelledFolder(root)
