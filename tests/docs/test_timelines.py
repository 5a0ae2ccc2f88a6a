"""The timelines show what docs/concepts.md says of them: who is held, and who is not."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from tests.docs import timelines
from tests.docs.pages import DOCS
from tests.docs.timelines import FOLDER, SCENES, Played, Scene
from tests.pod.state import Moment

CONCEPTS = (DOCS / "concepts.md").read_text()
_SVG = "{http://www.w3.org/2000/svg}"


def test_each_is_shown_and_belongs_to_a_scene() -> None:
    shown = re.findall(r"^!\[\S[^\]]+\]\(timelines/([\w-]+)\.svg\)$", CONCEPTS, re.MULTILINE)

    assert sorted(shown) == sorted(SCENES) == sorted(path.stem for path in FOLDER.glob("*.svg"))


@pytest.mark.parametrize("name", SCENES)
def test_the_app_is_held_where_the_page_says_so(name: str) -> None:
    told = ET.parse(FOLDER / f"{name}.svg").findtext(f"{_SVG}desc") or ""
    app = re.findall(r"app started at ([\d.]+)s", told)
    ready = re.findall(r" ready at ([\d.]+)s", told) or ["inf"]

    assert (float(app[0]) >= float(ready[0])) is SCENES[name].is_held
    assert ("the kubelet restarts" in told) is SCENES[name].has_restart


def moments(*found: tuple[float, str, str]) -> tuple[Moment, ...]:
    return tuple(Moment(*each) for each in found)


GATE = moments(
    (0.1, "gate", "started"),
    (0.2, "gate", "startup probing"),
    (3.1, "gate", "started=true"),
    (3.2, "app", "started"),
    (4.0, "app", "exited 0"),
)


def test_a_container_that_is_probed_starts_and_then_runs() -> None:
    played = Played("db", 3.0, GATE, restart=1.5)

    assert list(timelines.spans(played, "gate")) == [(0.1, 3.1, "starting"), (3.1, 5.0, "running")]
    assert list(timelines.spans(played, "app")) == [(3.2, 4.0, "running")]


def test_a_picture_has_a_row_for_each_and_the_restart() -> None:
    whole = ET.fromstring(timelines.draw("<gate>", Played("db", 3.0, GATE, restart=1.5)))
    texts = [each.text for each in whole.iter(f"{_SVG}text")]

    assert {"needs: db", "gate", "app", "kubelet waits", "kubelet restarts"} <= set(texts)
    assert whole.findtext(f"{_SVG}title") == "<gate>"


def test_what_never_comes_is_not_drawn_as_ready() -> None:
    whole = timelines.draw("", Played("db", None, GATE))

    assert timelines.COLOURS["ready"] not in whole
    assert "db never ready; app started at 3.20s" in whole
    assert "kubelet restarts" not in whole


def test_a_scene_knows_what_comes_late() -> None:
    assert Scene("127.0.0.1:$DB", is_held=True).needed == "db"
    assert SCENES["startup-probe"].needed == "proxy"
