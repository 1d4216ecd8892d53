# SPDX-License-Identifier: Apache-2.0
"""In processes of their own: what is imported stays imported."""

from __future__ import annotations

import subprocess
import sys


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_the_converter_is_not_imported_until_it_is_asked_for() -> None:
    said = run(
        "import sys\n"
        "from perception.engines.light_openvino import openvino\n"
        "print('openvino.tools.ovc' in sys.modules, openvino.Core().available_devices != [])\n"
        "print(callable(openvino.convert_model), 'openvino.tools.ovc' in sys.modules)\n"
    )
    assert said.splitlines() == ["False True", "True True"]


def test_openvino_that_is_there_already_stays_whole() -> None:
    said = run(
        "import openvino, perception.engines.light_openvino as light\n"
        "print(light.openvino is openvino, callable(openvino.convert_model))"
    )
    assert said == "True True"


def test_other_names_are_missing_as_before() -> None:
    said = run("from perception.engines.light_openvino import openvino\nprint(hasattr(openvino, 'no_such_thing'))")
    assert said == "False"
