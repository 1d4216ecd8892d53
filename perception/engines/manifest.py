# SPDX-License-Identifier: Apache-2.0
"""SHA256SUMS beside the models: what their files must be, in the form that `sha256sum --check` reads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from perception.errors import ModelError

NAME = "SHA256SUMS"


def record(folder: Path, files: Iterable[Path]) -> Path:
    """Write the hashes of `files`, which lie in `folder`, into its manifest; lines of others that are there stay."""
    sums = {name: digest for name, digest in read(folder).items() if (folder / name).is_file()}
    sums |= {path.name: digest_of(path) for path in files}
    path = folder / NAME
    path.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())), "utf-8")
    return path


def verify(model: Path) -> None:
    """Raise ModelError where a file of `model` is not what the manifest beside it says; what it lacks may be any."""
    sums = read(model.parent)
    for path in (model, model.with_suffix(".bin")) if model.suffix == ".xml" else (model,):
        if path.name in sums and path.is_file() and digest_of(path) != sums[path.name]:
            raise ModelError(
                f"{path}: not the file that {NAME} beside it lists: damaged or changed since it was exported; "
                "install it again, or make it again with `perception export`"
            )


def digest_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(folder: Path) -> dict[str, str]:
    """The SHA-256 that each file of the folder must have, by name; nothing where there is no manifest."""
    path = folder / NAME
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text("utf-8").splitlines())
    return {pair[1].lstrip("*").strip(): pair[0].lower() for pair in pairs if len(pair) == 2}
