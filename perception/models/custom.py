# SPDX-License-Identifier: Apache-2.0
"""Networks with custom parts: finds and imports the modules that a config names in `custom_imports`."""

from __future__ import annotations

import difflib
import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.config import Config
from mmseg.registry import MODELS

from perception.errors import ModelError, PerceptionError
from perception.models.heads import classes_of_config, widen

FOLDER = "folder"
"""The key beside `imports` for the folder of the modules in `custom_imports`: the config's own folder, stored when it
is first read, so that the weights and every config made from it know it too."""


def read_config(path: Path) -> Config:
    """The mmengine config at `path`, with its `custom_imports` imported and their `folder` set, and its `classes`
    applied.

    Raises ModelError if it is missing or broken, a module of `custom_imports` cannot be imported, or `classes` are
    not what `perception.classes.SemanticClass` takes.
    """
    if not path.is_file():
        raise ModelError(f"{path}: no such config; the package's own are in configs/networks")
    try:
        config = Config.fromfile(path, import_custom_modules=False)
    except Exception as error:  # a config is Python code, so that any error may occur
        raise ModelError(f"{path}: cannot be read as an mmengine config: {error}") from error
    custom = config.get("custom_imports")
    if custom:
        config.custom_imports = {FOLDER: str(path.resolve().parent), **custom}
        import_custom(config.custom_imports, path)
    classes = classes_of_config(config, path)
    try:
        widen(config.get("model"), classes)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
    return config


def import_custom(custom: Mapping[str, Any], source: Path) -> None:
    """Import the modules `imports`, from `folder` or from Python's path; they register their content.

    source: the file that names them, for the error. Raises ModelError for a module that cannot be imported, and for
    one of the same name from another place.
    """
    folder, names = Path(custom[FOLDER]), custom.get("imports", ())
    if folder.is_dir() and str(folder) not in sys.path:
        sys.path.append(str(folder))  # at the end: a types.py there must not hide Python's
    for name in [names] if isinstance(names, str) else names:
        try:
            module = importlib.import_module(name)
        except Exception as error:  # it is Python code, too
            raise ModelError(
                f"{source}: its network needs the module {name!r} (custom_imports), which cannot be imported: {error}; "
                f"it was looked for in {folder} and on PYTHONPATH: put it there"
            ) from error
        here = folder.joinpath(*name.split("."))
        own = [path for path in (here.with_suffix(".py"), here / "__init__.py") if path.is_file()]
        if own and Path(module.__file__ or "").resolve() not in own:
            raise ModelError(
                f"{source}: {name!r} (custom_imports) is {own[0]}, but {module.__file__} of the same name is loaded "
                "already: rename yours"
            )


@contextmanager
def building(source: object) -> Iterator[None]:
    """Turns any error while a network is built from the config or weights file `source` into a ModelError."""
    try:
        yield
    except PerceptionError:
        raise
    except Exception as error:  # mmengine passes on the errors of each part's constructor
        reason = str(error.args[0] if error.args else error).partition(". ")[0].strip()
        word = reason.partition(" is not in the ")[0]
        known = [name for registry in (MODELS, MODELS.parent) if registry for name in registry.module_dict]
        hint = ""
        if word != reason:
            nearest = difflib.get_close_matches(word, known, n=1)
            hint = f"; did you mean {nearest[0]}?" if nearest else ";"
            hint += " custom_imports names your own modules, and --import imports them"
        raise ModelError(f"{source}: the network cannot be built: {reason}{hint}") from error
