# SPDX-License-Identifier: Apache-2.0
"""SHA256SUMS beside the models: the hashes that their files must have, in the format of `sha256sum --check`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from perception.errors import ModelError

NAME = "SHA256SUMS"


def record(folder: Path, files: Iterable[Path]) -> Path:
    """Write the hashes of `files`, which are in `folder`, into its manifest; lines of other files are kept."""
    sums = {name: digest for name, digest in read(folder).items() if (folder / name).is_file()}
    sums |= {path.name: digest_of(path) for path in files}
    path = folder / NAME
    path.write_text("".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items())), "utf-8")
    return path


def verify(model: Path) -> None:
    """Raise ModelError if a file of `model` differs from the manifest beside it; files not listed in it are not
    checked."""
    sums = read(model.parent)
    for path in (model, model.with_suffix(".bin")) if model.suffix == ".xml" else (model,):
        if path.name in sums and path.is_file() and digest_of(path) != sums[path.name]:
            raise ModelError(
                f"{path}: not the file that {NAME} beside it lists: damaged or changed since it was exported; "
                "install it again, or export it again with `perception export`"
            )


def digest_of(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read(folder: Path) -> dict[str, str]:
    """The SHA-256 that each file of the folder must have, by name; empty if there is no manifest."""
    path = folder / NAME
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text("utf-8").splitlines())
    return {pair[1].lstrip("*").strip(): pair[0].lower() for pair in pairs if len(pair) == 2}
