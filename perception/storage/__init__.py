# SPDX-License-Identifier: Apache-2.0
"""Files where fleets keep them: paths that are URLs of an object store (s3://, gs:// and whatever else fsspec opens).

`source(text)` is a path to read, `target(text)` one to write. Of a URL either is a `pathlib.Path` on this machine, so
that all code reads and writes as it does on a disk; of any other text it is a plain `Path`, and nothing here runs.
A source's files are fetched into a bounded cache when they are opened; a target's are uploaded by `writing`.
"""

from perception.storage.source import Source, fetched, local, source, sources_shown
from perception.storage.target import Target, target, targets_shown, writing
from perception.storage.urls import is_url, masked

__all__ = ["Source", "Target", "fetched", "is_url", "local", "masked", "shown", "source", "target", "writing"]


def shown(text: str) -> str:
    """The text with the URLs of the paths of this machine that stand for them, as libraries say them."""
    return targets_shown(sources_shown(text))
