"""The hook of mkdocs: what the site takes from outside `docs/`, and the links there.

On a page in the repository `../examples/sidecar.yaml` leads to the file. The site has the examples
and the changelog too, one folder nearer.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the examples, as pages or as they are, and the changelog."""
    for path in sorted((ROOT / "examples").rglob("*")):
        if path.is_file():
            name = path.relative_to(ROOT).as_posix()
            files.append(File.generated(config, name, abs_src_path=str(path)))
    changelog = str(ROOT / "CHANGELOG.md")
    files.append(File.generated(config, "changelog.md", abs_src_path=changelog))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Point links at where the site has them."""
    is_example = page.file.src_uri.startswith("examples/")
    folder, here = ("../docs/", "../") if is_example else ("../examples/", "examples/")
    return re.sub(rf"\]\({re.escape(folder)}", f"]({here}", markdown)
