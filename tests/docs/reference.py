"""`make docs`: write the parts of `docs/` that are made of the code.

A page has them between `<!-- made of the code: NAME -->` and `<!-- end -->`.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from gate import checks, config
from gate.checks.presets import PRESETS
from gate.checks.sidecar import _HTTP
from gate.core.target import Target
from gate.lint import rules

DOCS = Path(__file__).parents[2] / "docs"
BLOCK = re.compile(r"(<!-- made of the code: ([\w ]+) -->\n).*?(<!-- end -->)", re.DOTALL)
URLS = {
    "dns": "dns://name",
    "exec": "exec:true",
    "file": "file:///path",
    "grpc+unix": "grpc+unix:///run/app.sock",
    "http+unix": "http+unix://%2Frun%2Fapp.sock/",
    "k8s": "k8s:job/migrate",
    "mongodb+srv": "mongodb+srv://name",
    "sidecar": "sidecar:istio",
    "unix": "unix:///run/app.sock",
}
"""A URL of each scheme that `SCHEME://host:1` is none of."""
TLS = frozenset({"ca", "cert", "key", "server-name", "insecure"})


def target_of(scheme: str) -> Target:
    """Return the target of a dependency with *scheme*, not yet read by its check."""
    (wanted,) = config.read({}, arguments=[URLS.get(scheme, f"{scheme}://host:1")]).dependencies
    return wanted.target


def common_options() -> set[str]:
    """Return the options that every dependency takes."""
    return set(target_of("tcp")._known)


def options(scheme: str) -> set[str]:
    """Return the options that the check of *scheme* reads, but for the common ones."""
    target = target_of(scheme)
    assert checks.load(target), target.problems
    return set(target._known) - common_options()


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
    """Return a section for each check."""
    by_module: dict[str, list[str]] = {}
    for scheme, module in checks.SCHEMES.items():
        by_module.setdefault(module, []).append(scheme)
    own = {each: names for each, names in by_module.items() if each != "gate.checks.presets"}
    return "\n\n".join(check(names, import_module(each)) for each, names in sorted(own.items()))


def check(names: list[str], module: object) -> str:
    """Return the section of the check in *module*: what ready means, and its options."""
    first, _, rest = str(module.__doc__).strip().partition("\n")
    form, _, ready = first.partition(" -- ")
    heading = " ".join(f"`{name}`" for name in names)
    parts = [f"### {heading}", f"`{form}`: {ready}", rest.strip(), _options(names)]
    return "\n\n".join(part for part in parts if part)


def _options(names: list[str]) -> str:
    found = [options(name) for name in names]
    has_tls = any(each >= TLS for each in found)
    # Without TLS an option of such a name means something else: the `key` of redis.
    own = set().union(*(each - TLS if each >= TLS else each for each in found))
    words = [f"`{name}`" for name in sorted(own)] + ["[TLS](#tls)"] * has_tls
    return f"Options: {', '.join(words)}." if words else ""


def presets() -> str:
    """Return the table of the servers that are asked over HTTP."""
    http = options("http")
    rows = [
        f"| `{scheme}` | {each.port} | `{each.path}` | {each.ready} | {_own(scheme, http)} |"
        for scheme, each in PRESETS.items()
    ]
    head = ["| scheme | port | path | ready means | options of its own |", "|---|---|---|---|---|"]
    return "\n".join([*head, *rows])


def _own(scheme: str, others: set[str]) -> str:
    return " ".join(f"`{name}`" for name in sorted(options(scheme) - others))


def sidecars() -> str:
    """Return the table of the sidecars that say by HTTP whether they are ready."""
    rows = [f"| `sidecar:{name}` | {port} | `{path}` |" for name, (port, path) in _HTTP.items()]
    return "\n".join(["| dependency | port | path |", "|---|---|---|", *rows])


def extras() -> str:
    """Return which optional package comes with which extra."""
    rows = [f"| `{package}` | `podgate[{extra}]` |" for package, extra in checks.EXTRAS.items()]
    return "\n".join(["| package | extra |", "|---|---|", *rows])


def lint_rules() -> str:
    """Return a section for each rule, as `gate lint --explain` has it."""
    return "\n\n".join(
        f"### {each.id}\n\n*{each.severity.word}*\n\n{prose(each.text)}" for each in rules.EVERY
    )


def prose(text: str) -> str:
    """Return *text* with its remedy as a paragraph."""
    return re.sub(r"\s+Remedy: (\w)", lambda found: f"\n\n**Remedy:** {found[1]}", text)


PARTS: dict[str, Callable[[], str]] = {
    "settings": settings,
    "schemes": schemes,
    "presets": presets,
    "sidecars": sidecars,
    "extras": extras,
    "lint rules": lint_rules,
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
