# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import hashlib
import platform
from pathlib import Path

import numpy as np

import perception
from perception.reporting.provenance import FLAGS, processor_flags, sha256, version_of, versions


def test_a_result_says_what_made_it() -> None:
    found = versions()
    assert (found["perception"], found["python"]) == (perception.__version__, platform.python_version())
    assert found["numpy"] == np.__version__
    assert found["cpu"]


def test_what_is_not_installed_has_no_version() -> None:
    assert version_of("no-such-distribution") is None
    assert "" not in versions().values()


def test_the_sum_of_a_file_larger_than_a_block(tmp_path: Path) -> None:
    content = bytes(range(256)) * 5000
    (tmp_path / "file").write_bytes(content)
    assert sha256(tmp_path / "file") == hashlib.sha256(content).hexdigest()


def test_flags_are_those_that_matter() -> None:
    assert set(processor_flags()) <= set(FLAGS)
