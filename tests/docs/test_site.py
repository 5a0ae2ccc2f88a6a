"""The site is built strictly, leads nowhere in vain, and loads nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.pages import PAGES, ROOT

LOADED = {
    "audio": "src",
    "embed": "src",
    "iframe": "src",
    "img": "src",
    "link": "href",
    "object": "data",
    "script": "src",
    "source": "src",
    "video": "src",
}
"""What a browser fetches without being asked, by tag."""


class Document(HTMLParser):
    """What an HTML page leads to, loads, and can be led to by name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.names: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.names.add(found.get("id", ""))
        # An address that a page only tells of itself is not fetched.
        if found.get("rel") in ("canonical", "edit"):
            return
        if tag in LOADED and (url := found.get(LOADED[tag])):
            self.loaded.append(url)
        if tag == "a" and "href" in found:
            self.links.append(found["href"])


def fetched_by_style(text: str) -> list[str]:
    """Return the addresses that a style sheet loads."""
    found = re.findall(r"url\(\s*['\"]?([^'\")]+)|@import\s+['\"]([^'\"]+)", text)
    return [first or second for first, second in found]


def is_elsewhere(url: str) -> bool:
    return url.startswith("//") or urlsplit(url).scheme in ("http", "https", "ws", "wss")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        check=False,
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def documents(site: Path) -> dict[Path, Document]:
    return {path: Document(path.read_text()) for path in sorted(site.rglob("*.html"))}


def test_every_page_is_in_the_site_and_in_its_menu(
    site: Path, documents: dict[Path, Document]
) -> None:
    menu = {urlsplit(link).path for link in documents[site / "index.html"].links}

    for page in PAGES:
        name = page.replace(".md", ".html")
        assert site / name in documents
        assert name in menu


def test_every_link_leads_somewhere(site: Path, documents: dict[Path, Document]) -> None:
    wrong = [
        f"{path.name}: {link}"
        for path, document in documents.items()
        for link in document.links + document.loaded
        if path.name != "404.html" and not leads_somewhere(path, link, documents)
    ]

    assert wrong == []


def leads_somewhere(path: Path, link: str, documents: dict[Path, Document]) -> bool:
    parts = urlsplit(link)
    if parts.scheme:
        return is_elsewhere(link)
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    target = target / "index.html" if target.is_dir() else target
    if parts.fragment and target in documents:
        return unquote(parts.fragment) in documents[target].names
    return target.is_file()


def test_nothing_is_loaded_from_elsewhere(site: Path, documents: dict[Path, Document]) -> None:
    loaded = [url for document in documents.values() for url in document.loaded]
    styles = [path.read_text() for path in site.rglob("*.css")]
    texts = [path.read_text() for path in documents]
    loaded += [url for text in styles + texts for url in fetched_by_style(text)]

    assert len(loaded) > len(documents)
    assert [url for url in loaded if is_elsewhere(url)] == []
    # The theme fetches what draws these when it meets one.
    assert not any('class="mermaid"' in text for text in texts)


def pictures(site: Path) -> Iterator[Path]:
    yield from site.rglob("*.svg")


def test_a_picture_loads_nothing(site: Path) -> None:
    for path in pictures(site):
        assert not re.search(r"(href|src)=\"(?!#)|url\((?!#)|<script", path.read_text()), path


def test_what_would_be_loaded_is_seen() -> None:
    page = Document(
        '<script src="//cdn/x.js"></script><a href="y.html" id="z">'
        '<link rel="canonical" href="https://here/"><link rel="icon" href="https://there/">'
    )

    assert [url for url in page.loaded if is_elsewhere(url)] == ["//cdn/x.js", "https://there/"]
    assert (page.links, "z" in page.names) == (["y.html"], True)
    assert fetched_by_style("a{b:url(https://c/d)}@import 'e.css'") == ["https://c/d", "e.css"]
    assert not leads_somewhere(Path("/a/b.html"), "c.html", {})
