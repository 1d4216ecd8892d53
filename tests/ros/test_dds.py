# SPDX-License-Identifier: Apache-2.0
from __future__ import annotations

import os

import pytest

from perception.ros.dds import PROFILE, send_beside, use_profile


def test_what_the_user_chose_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("FASTRTPS_DEFAULT_PROFILES_FILE", "RMW_FASTRTPS_PUBLICATION_MODE")
    for name in names:
        monkeypatch.setenv(name, "mine")
    use_profile()
    send_beside()
    assert [os.environ[name] for name in names] == ["mine", "mine"]
    for name in names:
        monkeypatch.delenv(name)
    use_profile()
    send_beside()
    assert [os.environ[name] for name in names] == [str(PROFILE), "ASYNCHRONOUS"]
