"""curl and wget: what they ask, and which answers they take for success."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from gate.inject.waiters.places import NotUnderstood, bare_url, unread, values

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.shell import Command

_ANY_STATUS = "status=1xx,2xx,3xx,4xx,5xx"
_NOWHERE = ("-", "/dev/null", "/dev/stdout")
_REFUSED = {"-d", "--data", "-X", "--request", "-F", "--unix-socket", "-x", "--proxy", "--resolve"}
_REFUSED |= {"-u", "--user", "--post-data", "--cert", "-E", "--key"}


def http(command: Command) -> list[str]:
    """Return what curl or wget asks, with the statuses that it takes for success."""
    words = list(command.words[1:])
    address = [word for word in words if re.match(r"['\"]?https?://", word)]
    plain = [w for w in words if re.fullmatch(r"[\w.-]+(?::\d+)?(?:/\S*)?", w) and "." not in w[:1]]
    if not address:
        address = [f"http://{w}" for w in plain if ":" in w or "/" in w.strip("/")][:1]
    if len(address) != 1:
        raise NotUnderstood(unread(*words))
    if _keeps(command.program, words):
        why = f"it keeps what {command.program} fetches"
        raise NotUnderstood(why)
    options = list(_http_options(command.program, words))
    return [" ".join([bare_url(address[0]), *options])]


def _keeps(program: str, words: Sequence[str]) -> bool:
    """Whether the answer goes into a file that somebody may want."""
    letter, name = ("o", "--output") if program == "curl" else ("O", "--output-document")
    kept = [*values(words, name.lstrip("-")), *_joined(words, letter)]
    is_named = any(re.fullmatch(r"--remote-name|-[A-Za-z]*O", word) for word in words)
    return (is_named and program == "curl") or any(each not in _NOWHERE for each in kept)


def _joined(words: Sequence[str], letter: str) -> Iterator[str]:
    """Yield the values of an option of one *letter*, also behind others (`-qO-`)."""
    for word, behind in zip(words, [*words[1:], ""], strict=True):
        if match := re.fullmatch(rf"-[A-Za-z]*?{letter}(.*)", word):
            yield match[1] or behind


def _http_options(program: str, words: Sequence[str]) -> Iterator[str]:
    for word in words:
        if word.partition("=")[0] in _REFUSED:
            why = f"{program} {word.partition('=')[0]} has no counterpart that is sure"
            raise NotUnderstood(why)
    flags = "".join(word[1:] for word in words if re.fullmatch(r"-[A-Za-z]+", word))
    fails = "f" in flags or any(word.startswith("--fail") for word in words)
    if program == "curl" and not fails and not any("http_code" in word for word in words):
        yield _ANY_STATUS
    if "k" in flags * (program == "curl") or {"--insecure", "--no-check-certificate"} & set(words):
        yield "insecure"
    if (program == "curl" and "L" in flags) or "--location" in words or program == "wget":
        yield "redirects=follow"
    for header in [*values(words, "H"), *values(words, "header")]:
        if "$" in header or "uthor" in header:
            why = "its header may be a secret"
            raise NotUnderstood(why)
        yield f"header={shlex.quote(header)}"
