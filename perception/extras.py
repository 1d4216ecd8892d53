# SPDX-License-Identifier: Apache-2.0
"""What is installed only with an extra of the package, and how to get it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from perception.errors import PerceptionError


@contextmanager
def needs(what: str, extra: str) -> Iterator[None]:
    """Turn an ImportError inside into a PerceptionError that names the extra to install. what: with its verb."""
    try:
        yield
    except ImportError as error:
        raise PerceptionError(f"{what}: pip install 'multimodal_perception[{extra}]' ({error})") from error
