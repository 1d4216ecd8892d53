# SPDX-License-Identifier: Apache-2.0
"""Names of things, and where more of them come from."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from perception.assembly.settings.parameters import make_settings
from perception.engines import ENGINES, EngineKind
from perception.errors import DataError, ModelError, PerceptionError
from perception.registry import Registry, import_modules

ENGINE = """
from perception.engines import engine

@engine("{name}", ".{name}")
def load(path, threads):
    raise NotImplementedError
"""


def numbers() -> Registry[int]:
    registry: Registry[int] = Registry("number", "numbers", DataError)
    registry.add("three", 3)
    registry.register("seven")(7)
    return registry


def test_things_are_found_in_the_order_in_which_they_came() -> None:
    registry = numbers()
    assert dict(registry) == {"three": 3, "seven": 7}
    assert registry.find("seven") == 7
    assert registry.get("eight") is None


def test_a_name_that_there_is_not_gets_the_nearest_and_all() -> None:
    with pytest.raises(DataError) as said:
        numbers().find("sevn")
    assert str(said.value) == "no number is called 'sevn'; did you mean 'seven'? There are three, seven"
    with pytest.raises(DataError, match=r"^no number is called 'x'; there are three, seven$"):
        numbers().find("x")


def test_a_name_is_given_once() -> None:
    with pytest.raises(DataError, match="number 'three' is there already"):
        numbers().add("three", 4)


def python(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    surroundings = {**os.environ, "PYTHONPATH": path, **environment}
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=surroundings, timeout=60)


def install(folder: Path, name: str, points: str) -> None:
    """What pip leaves of a package: its entry points."""
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(points)


def test_installed_packages_are_asked_when_a_name_is(tmp_path: Path) -> None:
    (tmp_path / "fast_one.py").write_text(ENGINE.format(name="fast"))
    install(tmp_path, "fast_package", "[multimodal_perception.engines]\nfast = fast_one\n")
    code = (
        "import sys; from perception.engines import ENGINES; print('fast_one' in sys.modules);"
        "print(list(ENGINES)[-1], ENGINES['fast'].suffix)"
    )
    done = python(code, tmp_path)
    assert done.stdout == "False\nfast .fast\n", done.stderr


def test_a_broken_package_is_left_out_with_a_word(tmp_path: Path) -> None:
    install(tmp_path, "slow_package", "[multimodal_perception.engines]\nslow = nowhere_at_all\n")
    done = python("from perception.engines import ENGINES; print(len(ENGINES), len(ENGINES))", tmp_path)
    assert done.stdout == "7 7\n"
    assert done.stderr == (
        "slow_package: its entry point slow of multimodal_perception.engines, nowhere_at_all, cannot be loaded and is "
        "left out: No module named 'nowhere_at_all'\n"
    )


def test_commands_load_sensors_before_anything_else(tmp_path: Path) -> None:
    (tmp_path / "radar_one.py").write_text("print('a radar')")
    install(tmp_path, "radar_package", "[multimodal_perception.sensors]\nradar = radar_one\n")
    done = python("from perception.cli.main import main; main(['--version'])", tmp_path)
    assert done.stdout.startswith("a radar\nperception "), done.stderr


def test_processes_that_are_started_import_the_same(tmp_path: Path) -> None:
    (tmp_path / "near_one.py").write_text(ENGINE.format(name="near"))
    code = (
        "import subprocess, sys; from perception.registry import import_modules; import_modules(['near_one']);"
        "subprocess.run([sys.executable, '-c', 'from perception.engines import ENGINES; print(list(ENGINES)[-1])'])"
    )
    done = python(code, tmp_path)
    assert done.stdout == "near\n", done.stderr


def test_a_module_that_cannot_be_imported_is_told() -> None:
    with pytest.raises(PerceptionError, match=r"module 'no_such_thing', .*No module named 'no_such_thing'.*PYTHONPATH"):
        import_modules(["no_such_thing"])


def test_the_node_takes_what_was_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="engine: 'mine' is unknown; take one of auto, openvino, "):
        make_settings({"engine": "mine"})
    monkeypatch.setitem(ENGINES._things, "mine", EngineKind(".mine", lambda path, threads: None))
    assert make_settings({"engine": "mine"}).engine == "mine"


def test_an_engine_s_error_names_the_nearest() -> None:
    with pytest.raises(ModelError, match="no engine is called 'onnx'; did you mean 'onnxruntime'"):
        ENGINES.find("onnx")
