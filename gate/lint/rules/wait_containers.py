"""Waits that end too early, never, or at somebody's cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.lint.rules.waiting import is_excluded
from gate.pods import asking, gates, services, waits, well_known
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gate.pods.commands import Place
    from gate.pods.pod import Container, Pod

_JOBS = {"Job", "CronJob"}
_MYSQL = 3306
_MESHES = {"istio", "linkerd"}
_INJECT = {"sidecar.istio.io/inject": "true", "linkerd.io/inject": "enabled"}


@rule("wait-for-a-name", Severity.WARNING)
def for_a_name(pod: Pod) -> Hits:
    """A wait takes the name of a Service for its readiness.

    A Service has its name and its cluster IP from the moment that it is made, with or without a
    pod behind it: nslookup, dig and getent succeed at once, and the app starts though nobody
    answers. Not said of a headless Service of the input, which has no address before it has a
    ready pod, nor of the name of a single pod or of something outside the cluster, nor where
    another wait of the pod asks that host itself. Remedy: ask
    the port, or better the protocol (`pg_isready`, `curl`, `gate wait postgresql://…`).
    """
    for container in pod.containers:
        for words, line in waits.commands_of(container):
            for name in _found_at_once(words, pod):
                text = (
                    f"the Service {name.partition('.')[0]} has its name before it has a pod: "
                    "this wait is over at once"
                )
                yield Hit(line, text, "ask its port, or its protocol", container.name)


def _found_at_once(words: Sequence[str], pod: Pod) -> list[str]:
    """Return the Services whose names, and nothing else, a wait looks up."""
    names = asking.by_name(words)
    return [name for name in names if _is_plain_service(name, pod) and not _is_asked(name, pod)]


def _is_asked(host: str, pod: Pod) -> bool:
    """Whether another wait of *pod* asks *host* for more than its name."""
    own = services.of_host(host)
    asked = (place.host for wait in waits.every(pod) for need in wait.needs for place in need)
    return any(services.of_host(each)[0] == own[0] for each in asked)


def _is_plain_service(host: str, pod: Pod) -> bool:
    """Whether *host* is the name of a Service, and not known to be a headless one."""
    name, namespace = services.of_host(host)
    is_pod = bool(namespace) and name.rpartition("-")[2].isdigit()
    if not name or is_pod:
        return False
    service = services.meant(pod, name, namespace)
    return service is None or not service.is_headless


@rule("wait-connects-to-mysql", Severity.INFO)
def connects_to_mysql(pod: Pod) -> Hits:
    """A wait connects to MySQL's port and hangs up.

    MySQL and MariaDB count each connection that ends before the login as an error of its host,
    and after max_connect_errors of them (100) in a row they refuse that host. A pod shares its
    address with nobody, but hosts are counted by address, and addresses come again. Beyond that,
    a port that listens is no server that takes logins. Remedy: `mysqladmin ping`, which logs in,
    or gate's `mysql://`, which ends each handshake properly.
    """
    for container in pod.containers:
        for place, line in _bare_connections(container, pod):
            if place.port == _MYSQL:
                text = (
                    f"each connection to {place} that hangs up counts as an error, and after 100 "
                    "in a row the server refuses this host"
                )
                yield Hit(line, text, "use mysqladmin ping, or gate's mysql://", container.name)


@rule("wait-through-mesh", Severity.WARNING)
def through_mesh(pod: Pod) -> Hits:
    """A wait for a port goes through the mesh's proxy, which accepts every connection.

    Behind Istio's or Linkerd's proxy all outgoing connections are accepted by the proxy itself,
    before it has reached anybody: `nc -z` and gate's `tcp://` succeed though the server is down.
    Said where the proxy is in the pod in front of the wait, or the pod asks for its injection.
    Remedy: ask in the protocol (http, postgresql, redis …), or exclude the port from the
    redirection (`traffic.sidecar.istio.io/excludeOutboundPorts`,
    `config.linkerd.io/skip-outbound-ports`).
    """
    for container in pod.containers:
        if not _is_meshed(container, pod):
            continue
        for place, line in _bare_connections(container, pod):
            if not (place.is_local or is_excluded(place, pod)):
                text = f"the mesh's proxy accepts this connection, whether {place} is up or not"
                remedy = "ask in the protocol, or exclude the port from the mesh"
                yield Hit(line, text, remedy, container.name)


def _is_meshed(container: Container, pod: Pod) -> bool:
    """Whether what *container* sends goes through a proxy that runs by then."""
    if well_known.known_as(container) in _MESHES:
        return False
    if any(well_known.known_as(each) in _MESHES for each in pod.before(container)):
        return True
    wishes = {**pod.labels, **pod.annotations}
    # Whether an init container comes behind the proxy is for the injector to say.
    return not container.is_init and any(wishes.get(k) == v for k, v in _INJECT.items())


@rule("wait-fails-open", Severity.WARNING)
def fails_open(pod: Pod) -> Hits:
    """A wait that gives up lets the app start all the same.

    A loop that counts its tries and has nothing behind `done` ends with the status of its last
    command: of `sleep` or `echo`, which succeed. And `wait-for-it` without `--strict` runs its
    command when its time (15s unless `-t` says more) is over, too. The init container, or the
    wait, has then succeeded, and the app starts without what it was to wait for. Remedy: leave
    the loop by `exit 0` and write `exit 1` behind `done`; `--strict`; or `gate wait`, which fails
    when its time is over.
    """
    for container in pod.containers:
        for words, line in waits.commands_of(container):
            if asking.fails_open(words):
                text = "when this gives up it succeeds, and the app starts without what it needs"
                remedy = "leave by exit 0, and write exit 1 behind done (wait-for-it: --strict)"
                yield Hit(line, text, remedy, container.name)


@rule("wait-without-end-in-job", Severity.WARNING)
def without_end(pod: Pod) -> Hits:
    """A Job's init container waits without an end, and nothing ends the Job.

    A loop without a limit never fails, so the Job neither ends nor fails: no back-off, no alert,
    and a CronJob that forbids concurrent runs never runs again. A Deployment at least reports that
    it makes no progress. Remedy: activeDeadlineSeconds on the Job, or a limit for the wait
    (`timeout 600 …`, `gate wait --timeout 10m`).
    """
    if pod.kind not in _JOBS or pod.active_deadline is not None:
        return
    for container in pod.init:
        for words, line in waits.commands_of(container):
            if asking.longest(words) == float("inf") and not _found_at_once(words, pod):
                text = "this waits without an end, and the Job neither ends nor fails meanwhile"
                remedy = "set activeDeadlineSeconds, or give the wait a limit"
                yield Hit(line, text, remedy, container.name)


def _bare_connections(container: Container, pod: Pod) -> Iterator[tuple[Place, int]]:
    """Return where a wait of *container* only connects, and the line that says so."""
    if gates.is_gate(container):
        for place in gates.of(container, pod).connections():
            yield place, container.line_of("env")
    env = waits.environment(container)
    for words, line in waits.commands_of(container):
        for place in dict.fromkeys(asking.by_connection(words, env)):
            yield place, line


RULES = (for_a_name, connects_to_mysql, through_mesh, fails_open, without_end)
