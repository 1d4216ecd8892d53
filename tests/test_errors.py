# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import inspect

from perception import errors
from perception.errors import FrameError, MessageError, PerceptionError


def test_every_error_of_ours_is_caught_as_one() -> None:
    ours = [each for _, each in inspect.getmembers(errors, inspect.isclass) if each.__module__ == errors.__name__]
    assert len(ours) >= 5
    assert all(issubclass(each, PerceptionError) for each in ours)


def test_wrong_values_are_value_errors_too() -> None:
    assert issubclass(FrameError, ValueError)
    assert issubclass(MessageError, ValueError)
