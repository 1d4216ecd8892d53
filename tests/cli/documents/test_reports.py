# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.cli.documents.reports import PAGE, markdown

CHECKOUT = Path(__file__).resolve().parents[3]


def test_the_document_has_the_keys_of_the_code() -> None:
    pytest.importorskip("rclpy")
    assert (CHECKOUT / PAGE).read_text("utf-8") == markdown(), "run python -m perception.cli.documents.reports"
