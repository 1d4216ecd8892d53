# SPDX-License-Identifier: Apache-2.0
"""A synced drive and the content of its bag; no test changes them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from helpers.kitti import raw_drive
from helpers.kitti_bag import messages


@pytest.fixture(scope="package")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return raw_drive(tmp_path_factory.mktemp("kitti"))


@pytest.fixture(scope="package")
def synced(drive: Path) -> dict[str, list[Any]]:
    return messages(drive)
