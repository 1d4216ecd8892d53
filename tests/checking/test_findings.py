# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

from pathlib import Path

import pytest

from perception.checking import check
from perception.checking.check import Report
from perception.checking.findings import ERROR, INFO, KINDS, SEVERITIES, WARN, finding, markdown, worst_first
from perception.checking.words import RULES

DOCUMENT = Path(__file__).parents[2] / "docs/check.md"


def test_the_document_has_the_table_of_the_code() -> None:
    assert markdown() in DOCUMENT.read_text("utf-8")


def test_every_kind_says_what_it_means_and_what_to_do() -> None:
    for code, kind in KINDS.items():
        assert kind.severity in SEVERITIES, code
        assert kind.meaning, code
        assert kind.mend, code
        assert "|" not in kind.meaning + kind.mend, code


def test_what_is_said_of_codes_is_of_codes_that_exist() -> None:
    told = {code for _, code in RULES if code} | check.SPOILS | check.EVERYWHERE | check.FOLLOWS.keys()
    told |= {code for codes in check.FOLLOWS.values() for code in codes}
    assert told <= KINDS.keys()


def test_the_worst_comes_first_and_each_once() -> None:
    some = [finding("sensor-idle", "lidar", ""), finding("rate-low", "/points", ""), finding("frozen", "rgb", "")]
    assert [each.severity for each in worst_first(some + some)] == [ERROR, WARN, INFO]


@pytest.mark.parametrize(
    ("codes", "fails"),
    [([], []), (["sensor-idle"], []), (["rate-low"], [WARN]), (["rate-low", "frozen"], [WARN, ERROR])],
)
def test_what_fails(codes: list[str], fails: list[str]) -> None:
    report = Report("bag", 1.0, 1, 1, [finding(code, "", "") for code in codes])
    assert [severity for severity in (WARN, ERROR) if report.at_least(severity)] == fails
