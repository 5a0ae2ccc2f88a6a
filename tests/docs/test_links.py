"""A link in a text for people leads to something, also where the text is read in the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, TEXTS

_CODE = re.compile(r"^ *```.*?^ *```$|`[^`\n]+`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def links(text: str) -> list[str]:
    """Return where *text* leads; what stands in code does not."""
    return _LINK.findall(_CODE.sub("code", text))


def anchors(text: str) -> set[str]:
    """Return the names of the headings of *text*, as GitHub and the site make them."""
    plain = (re.sub(r"[^\w\s-]", "", heading.lower()) for heading in _HEADING.findall(text))
    return {name.strip().replace(" ", "-") for name in plain}


def leads_somewhere(place: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = (place.parent / path).resolve() if path else place
    if anchor:
        return target.is_file() and anchor in anchors(target.read_text())
    return target.exists()


@pytest.mark.parametrize("name", TEXTS)
def test_each_link_leads_somewhere(name: str) -> None:
    found = [link for link in links((ROOT / name).read_text()) if "://" not in link]

    assert [link for link in found if not leads_somewhere(ROOT / name, link)] == []


def test_a_link_that_leads_nowhere_would_be_found() -> None:
    found = links("[a](b.md) `[c](d.md)` [![e](f.png)](g.md)\n```\n[h](i.md)\n```\n")

    assert found == ["b.md", "f.png", "g.md"]
    assert not leads_somewhere(ROOT / "README.md", "b.md")
    assert not leads_somewhere(ROOT / "docs" / "checks.md", "#nothing")
    assert leads_somewhere(ROOT / "docs" / "checks.md", "#tls")
