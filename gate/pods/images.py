"""What well-known images hold: their name, and whether there is a shell in them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gate.pods.pod import Container

_WITHOUT_SHELL = re.compile(
    r"(?:^|.*/)(?:distroless/[\w./-]+|pause|cloud-sql-proxy|coredns|nats|daprd|linkerd/proxy"
    r"|opentelemetry-collector[\w-]*|kube-(?:apiserver|scheduler|controller-manager|state-metrics)"
    r"|metrics-server|external-dns)"
)
_WITH_SHELL_TAG = re.compile(r"debug|alpine|buster|bullseye|bookworm|trixie|ubi|mariner|dev")
_DISTROLESS_TAG = re.compile(r"distroless")
_TAGGED_DISTROLESS = re.compile(r"(?:^|.*/)(?:envoy|proxyv2)")
_TOOLS = {"sh", "bash", "ash", "dash", "cat", "curl", "wget", "nc", "ls", "test", "[", "grep"}
_TOOLS |= {"pgrep", "ps", "pidof", "echo", "sleep", "true", "timeout", "touch", "ss", "netstat"}


def lacks(container: Container, program: str) -> bool:
    """Whether the image of *container* is known not to hold *program*."""
    return is_tool(program) and has_no_shell(container.image)


def is_tool(program: str) -> bool:
    """Whether *program* is a shell or a common tool of the image itself.

    One in a folder of its own may come from a volume.
    """
    folder, _, name = program.rpartition("/")
    return name in _TOOLS and folder in ("", "/bin", "/usr/bin", "/usr/local/bin")


def has_no_shell(image: str) -> bool:
    """Whether *image* is one that everybody knows to hold neither shell nor tools."""
    path, _, tag = image.partition("@")[0].rpartition(":")
    if not path or "/" in tag:
        path, tag = image.partition("@")[0], ""
    if _TAGGED_DISTROLESS.fullmatch(path):
        return bool(_DISTROLESS_TAG.search(tag))
    return bool(_WITHOUT_SHELL.fullmatch(path)) and not _WITH_SHELL_TAG.search(tag)
