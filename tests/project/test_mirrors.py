# SPDX-License-Identifier: Apache-2.0
"""perception/x/y.py is tested by tests/x/test_y.py, or is listed in unmirrored.txt, which may only shrink."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
PACKAGE = TESTS.parent / "perception"
ALLOWED = Path(__file__).with_name("unmirrored.txt")


def test_every_module_has_its_test() -> None:
    modules = {str(path.relative_to(PACKAGE)) for path in PACKAGE.rglob("*.py") if path.name != "__init__.py"}
    tests = [path.relative_to(TESTS) for path in TESTS.rglob("test_*.py")]
    tested = {str(path.with_name(path.name.removeprefix("test_"))) for path in tests}
    allowed = ALLOWED.read_text().splitlines()
    assert sorted(allowed) == allowed, f"{ALLOWED} is sorted"
    new = sorted(modules - tested - set(allowed))
    assert not new, f"no test of their own: {', '.join(new)}"
    done = sorted(set(allowed) - (modules - tested))
    assert not done, f"take off {ALLOWED}: {', '.join(done)}"


def test_no_folder_has_more_than_twenty_modules() -> None:
    folders = [folder for root in (PACKAGE, TESTS) for folder in (root, *root.rglob("*/")) if folder.is_dir()]
    counts = {str(folder): len(list(folder.glob("*.py"))) for folder in folders}
    assert {name: count for name, count in counts.items() if count > 20} == {}
