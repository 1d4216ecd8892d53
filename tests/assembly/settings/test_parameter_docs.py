# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.assembly.settings import parameter_docs

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("path", "make"),
    [(parameter_docs.YAML, parameter_docs.yaml), (parameter_docs.MARKDOWN, parameter_docs.markdown)],
)
def test_what_people_read_is_what_the_code_says(path: Path, make: object) -> None:
    assert callable(make)
    assert (ROOT / path).read_text("utf-8") == make(), "run python -m perception.assembly.settings.parameter_docs"
