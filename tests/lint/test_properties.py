"""Whatever is put in, there is a report and never a traceback."""

from __future__ import annotations

import copy
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gate.lint import lint
from gate.lint.outputs import FORMS
from gate.lint.run import LintOptions
from tests.lint.building import WITHOUT_ADVICE
from tests.lint.corpus import names, text_of

ROOTS = [
    document
    for folder in ("bad", "good", "sound", "blog")
    for name in names(folder)
    if not name.startswith("yaml")
    for document in yaml.safe_load_all(text_of(folder, name))
    if document
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["", "$(", "$(A)", "$$", "serve", "sh", "-c", "until nc; do", "1.5.m", "[::1]"]
    ),
    st.text(max_size=8),
    st.builds(list),
    st.builds(dict),
    st.builds(lambda: [None]),
    st.builds(lambda: {"name": 1}),
)
TEXTS = st.lists(
    st.sampled_from(
        [
            "kind: Pod",
            "spec:",
            "  containers:",
            "  - name: a",
            "{{ x }}",
            "&a ",
            "*a",
            "<<: ",
            "---",
            "[",
            "]",
            "{",
            "}",
            "|",
            ">",
            "- ",
            ": ",
            "'",
            '"',
            "\t",
            "\x00",
            "\ufeff",
            "!t ",
            "%",
            "\n",
        ]
    ),
    max_size=30,
)
QUICK = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def write_all(text: str) -> None:
    report = lint([("x.yaml", text)], LintOptions(version=(1, 27)))
    lines = text.count("\n") + 1
    assert all(1 <= finding.line <= lines for finding in report.findings)
    for form in FORMS.values():
        form(report)


@QUICK
@given(st.text(max_size=200))
def test_any_text_is_reported_on(text: str) -> None:
    write_all(text)


@QUICK
@given(TEXTS)
def test_any_scrap_of_yaml_is_reported_on(parts: list[str]) -> None:
    write_all("".join(parts))


@QUICK
@given(st.data())
def test_a_manifest_with_something_else_somewhere_is_reported_on(data: st.DataObject) -> None:
    root = copy.deepcopy(data.draw(st.sampled_from(ROOTS)))
    for _ in range(data.draw(st.integers(1, 4))):
        parent, key = data.draw(st.sampled_from(list(places(root))))
        parent[key] = data.draw(SCALARS)
        if not list(places(root)):
            break

    write_all(yaml.safe_dump(root, allow_unicode=True))


def places(value: Any) -> Any:
    """Yield each place in *value* that holds something, as container and key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(pairs):
        yield value, key
        if isinstance(inner, dict | list):
            yield from places(inner)


@QUICK
@given(st.sampled_from(list(names("bad"))), st.data())
def test_a_manifest_cut_off_anywhere_is_reported_on(name: str, data: st.DataObject) -> None:
    text = text_of("bad", name)

    write_all(text[: data.draw(st.integers(0, len(text)))])


def test_a_megabyte_is_read_to_its_end() -> None:
    """What it costs is for `make bench` to say."""
    one = text_of("good", "no-state-file")
    text = "---\n".join([one] * (1_000_000 // len(one)))

    report = lint([("big.yaml", text)], WITHOUT_ADVICE)

    assert report.findings == ()
    assert report.pods > 500
