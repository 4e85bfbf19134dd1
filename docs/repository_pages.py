"""MkDocs hooks: README and similar files as pages, and links that work on GitHub and on the site."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent

PAGES = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "models/LICENSE.md": "weights_licence.md",
}
"""Pages of the site that lie elsewhere in the repository than in ``docs/``."""

LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, and the files they link to that are not pages, which are served as they are."""
    for source, page in PAGES.items():
        content = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=content))
        for _, target, _ in LINK.findall(content):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
            if path not in PAGES and not path.startswith("docs/") and files.get_file_from_path(path) is None:
                files.append(File.generated(config, path, abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Turn links between files of the repository into links between pages."""
    sources = {site: source for source, site in PAGES.items()}
    source = sources.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def on_site(match: re.Match[str]) -> str:
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), match[2]))
        path = PAGES.get(path, path.removeprefix("docs/"))
        return match[1] + posixpath.relpath(path, posixpath.dirname(page.file.src_uri) or ".") + match[3]

    return LINK.sub(on_site, markdown)
