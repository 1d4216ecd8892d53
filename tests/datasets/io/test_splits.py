# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import pytest

from perception.datasets.io.splits import check_split, split_in_time
from perception.errors import DataError


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11])
def test_train_and_val_are_all_in_order(count: int) -> None:
    items = list(range(count))
    assert split_in_time(items, "train") + split_in_time(items, "val") == split_in_time(items, "all") == items


def test_the_last_fifth_is_for_validation() -> None:
    assert split_in_time("abcdefghij", "val") == ["i", "j"]


def test_another_split_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(DataError, match="split 'test': this data set has train, val, all"):
        split_in_time([1, 2], "test")
    with pytest.raises(DataError, match="here: split 'test': this data set has train, val"):
        check_split("test", ["train", "val"], "here")
    assert check_split("val", ["train", "val"], "here") == "val"
