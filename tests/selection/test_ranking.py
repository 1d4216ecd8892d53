# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from helpers.fleet import write_labelled

from perception.selection.labelled import Drive, Measured, measure
from perception.selection.ranking import Ranking, rank


@pytest.fixture
def ranked(tmp_path: Path) -> tuple[Ranking, list[Measured]]:
    """Two drives of five frames, in which frames 1, 3, 7 and 9 have something each."""
    first = write_labelled(tmp_path, "a", 5, unsure=[1], walkers=[3], overturns={0: 0.0, 4: 0.0})
    second = write_labelled(tmp_path, "b", 5, flickers=[2], overturns={4: 0.05})
    measured = [measure(Drive(folder)) for folder in (first, second)]
    return rank(measured), measured


def test_scores_are_those_of_fisher(ranked: tuple[Ranking, list[Measured]]) -> None:
    ranking, _ = ranked
    expected = np.zeros(10)
    expected[1] = expected[3] = -np.log(1 / 10)
    expected[7] = -np.log(1 / 6)  # of the frames with two neighbours
    expected[3] += -np.log(2 / 6)  # the pedestrian is there for a frame
    expected[9] = -np.log(1 / 3)  # of those that were cross-checked
    np.testing.assert_allclose(ranking.scores, expected, atol=1e-6)
    assert ranking.drives.tolist() == [0] * 5 + [1] * 5
    assert ranking.frames.tolist() == [0, 1, 2, 3, 4] * 2


def test_a_class_is_as_rare_as_the_frames_that_hold_it(ranked: tuple[Ranking, list[Measured]]) -> None:
    ranking, _ = ranked
    assert ranking.holding.tolist() == [0, 1, 1, 0.1], "the background counts nothing"
    assert ranking.values["rare"][3] == pytest.approx(np.log(10))
    assert ranking.rarest[3] == 3


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (1, "the network is unsure (below 60%) on 25.0% of the image: 10% of the frames have as much"),
        (3, "pedestrian on 1.95% of the image: 10% of the frames have as rare a class"),
        (7, "6.51% of the image has another class than in the frames before and after: 17% of the frames have as much"),
        (9, "lidar contradicts what the other sensors are sure of on 5.00% of the image: 33% of the frames have as mu"),
        (0, "nothing stands out; it looks unlike the others"),
    ],
)
def test_reasons_are_words_and_figures(ranked: tuple[Ranking, list[Measured]], number: int, reason: str) -> None:
    ranking, measured = ranked
    (told,) = ranking.reasons(number, measured[ranking.drives[number]])
    assert told.startswith(reason)
