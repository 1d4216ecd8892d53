# SPDX-License-Identifier: Apache-2.0
"""Files that ship beside the code, in a checkout; tests/project/test_packaging.py looks for them in an installation."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from perception import paths
from perception.errors import ModelError

CHECKOUT = Path(__file__).resolve().parent.parent


def test_a_checkout_is_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    paths.share.cache_clear()
    assert paths.share() == CHECKOUT


@pytest.mark.parametrize(
    "path",
    [p.relative_to(CHECKOUT / "configs").as_posix() for p in sorted((CHECKOUT / "configs").rglob("*.[pyr]*"))],
)
def test_every_config_is_found(path: str) -> None:
    if "__pycache__" not in path:
        assert paths.config_path(path).is_file()


def test_launch_files_are_found() -> None:
    assert paths.launch_path("perception.launch.py").is_file()


def test_weights_are_found() -> None:
    shipped = [name for name in os.listdir(paths.WEIGHTS) if name.endswith((".safetensors", ".xml", ".bin"))]
    assert shipped
    for name in shipped:
        assert paths.weights_path(name).is_file()


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(ModelError, match=r"did you mean node/default\.yaml\?"):
        paths.config_path("node/defualt.yaml")
    with pytest.raises(ModelError, match="there are: "):
        paths.config_path("xyzzy")


def test_a_package_without_its_files_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / "perception")
    paths.share.cache_clear()
    with pytest.raises(ModelError, match="install the package anew"):
        paths.share()
    paths.share.cache_clear()


@pytest.mark.parametrize("packages", ["lib/python3.12/site-packages", "local/lib/python3.10/dist-packages", "."])
def test_share_is_found_from_every_kind_of_site_packages(
    packages: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "share/multimodal_perception/configs").mkdir(parents=True)
    monkeypatch.setattr(paths, "PACKAGE", tmp_path / packages / "perception")
    paths.share.cache_clear()
    assert paths.share() == tmp_path / "share/multimodal_perception"
    paths.share.cache_clear()
