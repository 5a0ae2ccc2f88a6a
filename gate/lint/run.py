"""From files to a report: reads all of them first, as a Service may stand in another file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from gate.lint import rules, silence
from gate.lint.finding import Finding, Severity
from gate.pods import documents, nodes
from gate.pods.around import Around
from gate.pods.documents import Found
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from gate.lint.rule import Rule
    from gate.lint.silence import Silence
    from gate.pods.pod import Pod

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, worst place first come first, and in how much."""

    findings: tuple[Finding, ...]
    files: int
    pods: int
    is_incomplete: bool
    """Whether a part of the input could not be read, or a rule itself failed."""
    known: int = 0
    """How many findings are left out, as an earlier run had them."""

    @property
    def exit_code(self) -> int:
        """0 nothing to act on, 1 an error or a warning, 2 not everything could be looked at."""
        if self.is_incomplete:
            return 2
        return int(any(finding.severity > Severity.INFO for finding in self.findings))


@dataclass(slots=True)
class _File:
    name: str
    keys: dict[int, list[str]] = field(default_factory=dict)
    """What stands on each line, as far as it may be shown."""
    found: Found = field(default_factory=Found)
    faults: list[Hit] = field(default_factory=list)
    duplicates: list[Hit] = field(default_factory=list)
    silences: list[Silence] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    """Rules that failed themselves."""


@dataclass(frozen=True, slots=True)
class LintOptions:
    """What shall be looked for."""

    select: frozenset[str] = frozenset()
    """Rules to look for, none: all."""
    ignore: frozenset[str] = frozenset()
    version: tuple[int, int] | None = None

    def wants(self, name: str) -> bool:
        """Whether rule *name* shall be looked for."""
        return (not self.select or name in self.select) and name not in self.ignore


def lint(inputs: Iterable[tuple[str, str]], wish: LintOptions | None = None) -> Report:
    """Return what is found in *inputs*, pairs of a file's name and its text."""
    wish = wish or LintOptions()
    around = Around(version=wish.version)
    files = [_read(name, text, around) for name, text in inputs]
    wanted = [each for each in rules.ALL if wish.wants(each.id)]
    findings = {each for file in files for each in _findings(file, wish, wanted)}
    return Report(
        findings=tuple(sorted(findings)),
        files=len(files),
        pods=sum(len(file.found.pods) for file in files),
        is_incomplete=any(file.faults or file.broken for file in files),
    )


def _read(name: str, text: str, around: Around) -> _File:
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    file = _File(name)
    if silence.MARK in text:
        file.silences = silence.comments(text.split("\n"))
    for document in nodes.documents(text):
        if document.fault:
            remedy = "correct it; the rest of this document was not looked at"
            file.faults.append(Hit(document.fault.line, str(document.fault), remedy))
        for line, _, first in document.duplicates:
            message = f"this key stands on line {first} already: one of the two is lost"
            file.duplicates.append(Hit(line, message, "remove one"))
        file.keys.update(document.keys)
        documents.read(document.value, name, around, file.found)
    return file


def _findings(file: _File, wish: LintOptions, wanted: Sequence[Rule]) -> Iterator[Finding]:
    for hit in file.faults:  # what cannot be read can be neither ignored nor silenced
        yield _finding(rules.YAML, hit, file, "")
    for each, hits in (
        (rules.DUPLICATE_KEY, file.duplicates),
        (rules.WRONG_TYPE, file.found.notes),
        (rules.NO_IMAGE, file.found.skipped),
    ):
        if wish.wants(each.id):
            told = (hit for hit in hits if not silence.is_silent(each.id, hit.line, file.silences))
            yield from (_finding(each, hit, file, "") for hit in told)
    for pod in file.found.pods:
        yield from _of_pod(pod, file, wish, wanted)
    if wish.wants(rules.SILENCE.id):
        for hit in silence.faults(file.silences, rules.SILENCEABLE):
            yield _finding(rules.SILENCE, hit, file, "")


def _of_pod(pod: Pod, file: _File, wish: LintOptions, wanted: Sequence[Rule]) -> Iterator[Finding]:
    own = silence.of_pod(pod)
    silenced = {each.rule for each in own if each.reason}
    for each in wanted:
        if each.id in silenced:
            continue
        for hit in _hits(each, pod, file):
            if not silence.is_silent(each.id, hit.line, file.silences):
                yield _finding(each, hit, file, _subject(pod, hit))
    if wish.wants(rules.SILENCE.id):
        for hit in silence.faults(own, rules.OF_PODS, rules.SILENCEABLE - rules.OF_PODS):
            yield _finding(rules.SILENCE, hit, file, _subject(pod, hit))


def _hits(rule: Rule, pod: Pod, file: _File) -> Sequence[Hit]:
    """Return what *rule* finds in *pod*, or that it failed itself."""
    try:
        return list(rule.look(pod))
    except Exception as exc:  # noqa: BLE001 -- a fault in one rule must not hide what others find
        file.broken.append(rule.id)
        text = f"gate lint itself failed here ({type(exc).__name__}): this rule was not looked for"
        return [Hit(pod.line, text, "please report it, with the pod that it is about")]


def _subject(pod: Pod, hit: Hit) -> str:
    whole = f"{pod.kind} {pod.name}"
    return f"{whole}, container {hit.container}" if hit.container else whole


def _finding(rule: Rule, hit: Hit, file: _File, subject: str) -> Finding:
    return Finding(
        file=file.name,
        line=hit.line,
        rule=rule.id,
        severity=rule.severity,
        message=hit.message,
        remedy=hit.remedy,
        subject=subject,
        excerpt=", ".join(file.keys.get(hit.line, ()))[:_LONGEST],
    )
