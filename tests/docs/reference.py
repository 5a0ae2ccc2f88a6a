"""`make docs`: write the parts of `docs/` that are made of the code.

A page has them between `<!-- made of the code: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable
from pathlib import Path

from gate import DISTRIBUTION, config
from gate.checks import catalogue
from gate.checks.presets import PRESETS
from gate.checks.sidecar import _HTTP
from gate.config import flags
from gate.lint import rules

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"(<!-- made of the code: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
_SETTINGS = "configuration.md#settings"
COMMANDS: dict[str, argparse.ArgumentParser] = next(
    dict(each.choices)
    for each in flags._parser()._actions
    if isinstance(each, argparse._SubParsersAction)
)
"""The parsers of the commands, but for `probe` and `hold`, which have none."""
TLS = frozenset({"ca", "cert", "key", "server-name", "insecure"})


ENTRIES = {each.scheme: each for each in catalogue.entries() if each.package == DISTRIBUTION}
"""What `gate checks` lists of gate's own, by scheme."""


def common_options() -> set[str]:
    """Return the options that every dependency takes."""
    (wanted,) = config.read({}, arguments=["tcp://db:5432"]).dependencies
    return set(wanted.target._known)


def options(scheme: str) -> dict[str, str]:
    """Return the options of the check of *scheme*, and how each is written."""
    return {each.name: each.form for each in ENTRIES[scheme].options}


def settings() -> str:
    """Return the table of the settings."""
    rows = [
        f"| `{each.variable}` | `{each.flag}` | {escaped(each.metavar)} | {escaped(each.help)} |"
        for each in config.SETTINGS
    ]
    return "\n".join(["| variable | flag | value | |", "|---|---|---|---|", *rows])


def escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("<", "&lt;")


def schemes() -> str:
    """Return a section for each check that has a protocol of its own."""
    by_text: dict[str, list[str]] = {}
    for scheme, entry in ENTRIES.items():
        if scheme not in PRESETS:
            by_text.setdefault(entry.documentation, []).append(scheme)
    return "\n\n".join(check(names, text) for text, names in by_text.items())


def check(names: list[str], text: str) -> str:
    """Return the section of a check: what ready means, its options, what has to be installed."""
    first, _, rest = text.strip().partition("\n")
    form, _, ready = first.partition(" -- ")
    heading = " ".join(f"`{name}`" for name in names)
    parts = (f"### {heading}", f"`{form}`: {ready}", rest.strip(), _options(names), _extras(names))
    return "\n\n".join(part for part in parts if part)


def _options(names: list[str]) -> str:
    found = [options(name) for name in names]
    has_tls = any(each.keys() >= TLS for each in found)
    # Without TLS an option of such a name means something else: the `key` of redis.
    own = {
        form
        for each in found
        for name, form in each.items()
        if not (each.keys() >= TLS and name in TLS)
    }
    words = [f"`{form}`" for form in sorted(own)] + ["[TLS](#tls)"] * has_tls
    return f"Options: {', '.join(words)}." if words else ""


def _extras(names: list[str]) -> str:
    purposes: dict[str, list[str]] = {}
    for each in (extra for name in names for extra in ENTRIES[name].extras):
        known = purposes.setdefault(each.name, [])
        known += [each.purpose] if each.purpose not in known else []
    found = [f"`{name}` for {' and '.join(known)}" for name, known in purposes.items()]
    return f"Extra: {', '.join(found)}." if found else ""


def presets() -> str:
    """Return the table of the servers that are asked over HTTP."""
    rows = [
        f"| `{scheme}` | {each.port} | `{each.path}` | {each.ready} | {_own(scheme)} |"
        for scheme, each in PRESETS.items()
    ]
    head = ["| scheme | port | path | ready means | options of its own |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _own(scheme: str) -> str:
    own = options(scheme).keys() - options("http").keys()
    return " ".join(f"`{options(scheme)[name]}`" for name in sorted(own))


def sidecars() -> str:
    """Return the table of the sidecars that say by HTTP whether they are ready."""
    rows = [f"| `sidecar:{name}` | {port} | `{path}` |" for name, (port, path) in _HTTP.items()]
    return "\n".join(["| dependency | port | path |", "|---|---|---|", *rows])


def lint_rules() -> str:
    """Return a section for each rule, as `gate lint --explain` has it."""
    return "\n\n".join(
        f"### {each.id}\n\n*{each.severity.word}*\n\n{prose(each.text)}" for each in rules.EVERY
    )


def prose(text: str) -> str:
    """Return *text* with its remedy as a paragraph."""
    return re.sub(r"\s+Remedy: (\w)", lambda found: f"\n\n**Remedy:** {found[1]}", text)


def commands() -> str:
    """Return a section for each command that has flags of its own."""
    return "\n\n".join(_command(name, parser) for name, parser in sorted(COMMANDS.items()))


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    takes_settings = any(each.dest == "GATE_TIMEOUT" for each in parser._actions)
    own = [each for each in parser._actions if not _is_common(each, name)]
    rows = [f"| {_written(each)} | {escaped(each.help or '')} |" for each in own]
    table = "\n".join(["| argument | meaning |", "|---|---|", *rows]) if rows else ""
    settings_too = f"It takes the flags of all [settings]({_SETTINGS})." if takes_settings else ""
    codes = parser.epilog if parser.epilog and "exit codes" in parser.epilog else ""
    parts = (f"### gate {name}", sentence(parser.description), table, settings_too, sentence(codes))
    return "\n\n".join(part for part in parts if part)


def _is_common(action: argparse.Action, command: str) -> bool:
    """Whether it is hidden, --help, or of the settings, but for a command that needs those."""
    is_setting = action.dest.startswith("GATE_") and command != "forget"
    return action.dest == "help" or is_setting or action.help == argparse.SUPPRESS


def _written(action: argparse.Action) -> str:
    choices = "|".join(map(str, action.choices or ()))
    value = str(action.metavar or choices or action.dest.upper())
    takes_one = not action.option_strings or action.nargs != 0
    names = action.option_strings or [value]
    last = f"{names[-1]} {value}" if action.option_strings and takes_one else names[-1]
    return ", ".join(f"`{escaped(name)}`" for name in (*names[:-1], last))


def sentence(text: str | None) -> str:
    """Return *text* with a large letter and a full stop."""
    return f"{text[0].upper()}{text[1:].rstrip('.')}." if text else ""


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "schemes": schemes,
    "presets": presets,
    "sidecars": sidecars,
    "lint rules": lint_rules,
    "commands": commands,
}


def current(text: str) -> str:
    """Return the page *text* with its parts as the code has them now."""
    return BLOCK.sub(lambda found: f"{found[1]}\n{PARTS[found[2]]()}\n\n{found[3]}", text)


def main() -> None:
    for page in sorted(DOCS.glob("*.md")):
        text = page.read_text()
        if (now := current(text)) != text:
            page.write_text(now)
            sys.stdout.write(f"{page.name} is new\n")


if __name__ == "__main__":
    main()
