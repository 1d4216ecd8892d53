# SPDX-License-Identifier: Apache-2.0
"""A hook of MkDocs: brings the documents outside docs/ into the site, and mends the links that lead out of docs/.

On the site, a link to a source file becomes the file's name: the site holds no sources.
"""

from __future__ import annotations

import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "perception/weights/README.md": "model-card.md",
    "benchmarks/README.md": "benchmarks.md",
    "benchmarks/truth/README.md": "truth.md",
}
"""Documents outside docs/, from the repository's root, and the page that each becomes."""

SOURCES = {page: source for source, page in PAGES.items()}
LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]+)\]\((?P<target>[^)#\s]+)(?P<anchor>#[^)]*)?\)")
IMAGE = re.compile(r"(!\[[^\]]*\])\(docs/([^)]+)\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages of `PAGES`."""
    for source, page in PAGES.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point each link at the page on the site, or keep its text alone where the site has none."""
    uri = page.file.src_uri
    source = SOURCES.get(uri, f"docs/{uri}")

    def mended(link: re.Match[str]) -> str:
        target = link["target"]
        if re.match(r"[a-z]+:", target):
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        there = PAGES.get(path, path.removeprefix("docs/") if path.startswith("docs/") else None)
        if there is None:
            return link["text"] if link["text"].startswith("`") else f"{link['text']} (`{path}`)"
        return f"[{link['text']}]({posixpath.relpath(there, posixpath.dirname(uri) or '.')}{link['anchor'] or ''})"

    return IMAGE.sub(r"\1(\2)", LINK.sub(mended, markdown))
