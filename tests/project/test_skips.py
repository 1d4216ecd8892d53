# SPDX-License-Identifier: Apache-2.0
"""The fence around skips: a reason that is not in the list fails the run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
BY_MARK = "@pytest.mark.skipif(True, reason={reason!r})\ndef test_it(): pass\n"
BY_CALL = "def test_it(): pytest.skip({reason!r})\n"
BY_FIXTURE = "@pytest.fixture\ndef part(): pytest.skip({reason!r})\n\ndef test_it(part): pass\n"
BY_MODULE = "pytest.skip({reason!r}, allow_module_level=True)\n"


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    (folder / "test_it.py").write_text(f"import pytest\n{code}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "helpers.skips", "-p", "no:cacheprovider", "--rootdir=."]
    environment = {**os.environ, "PYTHONPATH": str(TESTS), "PYTEST_ADDOPTS": "", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    return subprocess.run(
        [*command, "test_it.py"], cwd=folder, env=environment, capture_output=True, text=True, timeout=60
    )


@pytest.mark.parametrize("code", [BY_MARK, BY_CALL, BY_FIXTURE, BY_MODULE])
def test_a_skip_for_another_reason_fails_and_says_so(code: str, tmp_path: Path) -> None:
    done = run(code.format(reason="no reason"), tmp_path)
    assert done.returncode in (1, 2)
    assert "skipped: no reason" in done.stdout
    assert "tests/helpers/skips.py" in done.stdout


@pytest.mark.parametrize("code", [BY_MARK, BY_CALL, BY_FIXTURE])
def test_an_allowed_skip_is_a_skip(code: str, tmp_path: Path) -> None:
    done = run(code.format(reason="could not import 'cv_bridge': No module named 'cv_bridge'"), tmp_path)
    assert done.returncode == 0
    assert "1 skipped" in done.stdout


def test_an_expected_failure_is_none_of_its_business(tmp_path: Path) -> None:
    done = run("@pytest.mark.xfail(reason='known')\ndef test_it(): raise ValueError\n", tmp_path)
    assert done.returncode == 0
    assert "1 xfailed" in done.stdout
