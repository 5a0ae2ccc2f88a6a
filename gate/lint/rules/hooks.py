"""postStart and preStop: what they hold, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.lint.finding import Severity
from gate.lint.rule import Hits, rule
from gate.pods import commands, holders, references, servers, waits, well_known
from gate.pods.hit import Hit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gate.pods.pod import Action, Container, Pod

_IN_FRONT = "hold with a startupProbe, or put a plain init container in front"


@rule("poststart-http", Severity.ERROR, "5.2, 5.3")
def post_start_http(pod: Pod) -> Hits:
    """A postStart hook asks by httpGet.

    Kubelet facts 5.2 and 5.3: it is sent once, right after the process was started, and most
    often before it listens: refused, and the container is killed. Where something answers, any
    status is taken for success, 503 too. So it either kills or does not hold. Remedy: a
    startupProbe with the same httpGet, which is repeated and whose status counts.
    """
    for container in pod.containers:
        hook = container.post_start
        if hook and hook.kind in {"httpGet", "tcpSocket"}:
            text = (
                f"the kubelet sends this {hook.kind} once: refused, it kills the container; "
                "answered, it takes any status for success"
            )
            remedy = "ask in a startupProbe instead"
            yield Hit(hook.line, text, remedy, container.name)


@rule("poststart-without-end", Severity.WARNING, "5.4, 5.11")
def post_start_without_end(pod: Pod) -> Hits:
    """A postStart hook loops without an end.

    Kubelet facts 5.4, 5.9 and 5.11: the hook holds what comes behind it, and has no timeout.
    While it runs the pod cannot be deleted or evicted: no container gets SIGTERM, whatever the
    grace period; no probe runs, no log can be read. Remedy: a startupProbe holds as well and
    blocks nothing; a hook that stays gives up by itself (`timeout 120 …`, a counter,
    `gate hold --timeout 2m`).
    """
    for container in pod.containers:
        hook = container.post_start
        if hook is None or hook.kind != "exec":
            continue
        is_endless = commands.is_wait(hook.command) and not commands.is_bounded(hook.command)
        if is_endless or servers.ends_never(hook.command, (), ""):
            holds = "holds the containers behind it, but" if _is_before(container, pod) else "runs"
            text = (
                f"this {holds} without an end: while it loops the pod cannot be deleted, and "
                "neither probes nor logs work"
            )
            remedy = "hold with a startupProbe, or give the loop an end (timeout 120 …)"
            yield Hit(hook.line, text, remedy, container.name)


def _is_before(container: Container, pod: Pod) -> bool:
    """Whether another container is started after *container*."""
    return container.index < len(pod.containers) - 1


@rule("poststart-in-main-container", Severity.WARNING, "5.8")
def post_start_in_main_container(pod: Pod) -> Hits:
    """A postStart hook of a main container is meant to hold the next one.

    Kubelet fact 5.8: main containers are started one after the other, so a hook delays the next;
    but its result is ignored: a hook that fails or gives up has its own container killed, and
    the next one started all the same. It fails open. Not said of a mesh's own proxy that waits
    for itself, as it is injected where there are no native sidecars. Remedy: make it a native
    sidecar (`initContainers`, `restartPolicy: Always`) with a startupProbe.
    """
    for container in pod.main[:-1]:
        hook = container.post_start
        if hook and well_known.known_as(container) in commands.sidecars(hook.command):
            continue
        if hook and hook.kind == "exec" and commands.is_wait(hook.command):
            text = (
                "if this hook fails, the kubelet kills this container and starts the next one "
                "all the same"
            )
            remedy = "make it a native sidecar with a startupProbe"
            yield Hit(hook.line, text, remedy, container.name)


@rule("poststart-not-durable", Severity.INFO, "5.10")
def post_start_not_durable(pod: Pod) -> Hits:
    """A postStart hook holds, and nothing else does.

    Kubelet fact 5.10: nobody records that a hook completed. If the kubelet is restarted while
    the hook runs, it sees a sidecar that runs, and starts the app. A startupProbe that asks the
    same question holds up to Kubernetes 1.34; 1.35 and 1.36 take it for passed after such a
    restart (kubernetes#142305). Remedy: a plain init container behind the sidecar that waits for
    the same; behind a gate, `gate hold`.
    """
    for sidecar in pod.sidecars:
        hook = sidecar.post_start
        if sidecar.startup or holders.is_held_behind(sidecar, pod):
            continue
        if hook and hook.kind == "exec" and commands.is_wait(hook.command):
            text = "a kubelet that restarts while this hook runs starts the app without it"
            remedy = "put a plain init container behind it that waits for the same"
            yield Hit(hook.line, text, remedy, sidecar.name)


@rule("poststart-without-pod-ip", Severity.WARNING, "5.1")
def post_start_without_ip(pod: Pod) -> Hits:
    """A postStart hook that may block for long runs before the pod has an address.

    Kubelet fact 5.1: the hook runs before the kubelet first publishes the pod's status. While it
    blocks, `status.podIP` is empty (seen on 1.36), and what goes by the address (a NetworkPolicy,
    a mesh, some CNIs) may keep the hook from reaching what it waits for, so that it waits for
    ever. Not said of what waits for localhost alone. Where a plain init container is in front, the
    address is there before the hook begins. Remedy: a startupProbe, which holds as well, or any
    plain init container in front (behind a gate's hook: `gate forget`).
    """
    for container, line in _blocking_without_ip(pod):
        if not pod.around.is_ambient(pod):
            text = (
                "while this hook waits the pod has no address, and a network policy or a mesh may "
                "keep it from what it waits for"
            )
            yield Hit(line, text, _IN_FRONT, container.name)


@rule("poststart-under-ambient", Severity.ERROR, "5.1")
def post_start_under_ambient(pod: Pod) -> Hits:
    """A postStart hook waits before the pod has an address, under Istio's ambient mode.

    Kubelet fact 5.1: while the hook blocks, `status.podIP` is empty (seen on 1.36). The ambient
    mesh (`istio.io/dataplane-mode: ambient` at the pod or its namespace) knows a workload by that
    address: its node proxy refuses what comes from a pod that it does not know, so the hook waits
    for what it can never reach. Remedy: a startupProbe, which holds as well, or a plain init
    container in front, which gives the pod its address.
    """
    for container, line in _blocking_without_ip(pod):
        if pod.around.is_ambient(pod):
            text = (
                "while this hook waits the pod has no address, and the ambient mesh lets nothing "
                "through from a pod that it does not know"
            )
            yield Hit(line, text, _IN_FRONT, container.name)


def _blocking_without_ip(pod: Pod) -> Iterator[tuple[Container, int]]:
    """Return each container whose hook waits while nothing has published the pod's address."""
    if pod.has_host_network:
        return  # the node's, from the start
    for container in pod.containers:
        hook = container.post_start
        if container.is_plain_init or hook is None or not commands.is_wait(hook.command):
            continue
        if _stays_in_pod(container, hook):
            continue
        if not any(each.is_plain_init and each.index < container.index for each in pod.init):
            yield container, hook.line


def _stays_in_pod(container: Container, hook: Action) -> bool:
    """Whether *hook* waits for nothing but localhost, which needs no address."""
    needs = commands.needs(hook.command, waits.environment(container))
    return bool(needs) and all(place.is_local for need in needs for place in need)


@rule("hook-variable", Severity.ERROR, "5.6")
def hook_variable(pod: Pod) -> Hits:
    """A postStart hook's command holds `$(NAME)`.

    Kubelet fact 5.6: unlike command, args and exec probes, hooks are not expanded: the text is
    handed over as it is, and a shell takes it for a command to run. Remedy: `sh -c` with
    `"$NAME"`, which the shell takes from the environment.
    """
    for container in pod.containers:
        own = {variable.name for variable in container.env}
        for hook in filter(None, [container.post_start]):
            written = " ".join(hook.command)
            is_script = commands.script(hook.command) is not None
            for name in dict.fromkeys(references.names(written)):
                if is_script and name not in own:
                    continue  # a command of that name, for all we know
                text = f"the kubelet does not put in $({name}) in a hook: it stays as it is written"
                remedy = f'write sh -c with "${name}"'
                yield Hit(hook.line, text, remedy, container.name)


RULES = (
    post_start_http,
    post_start_without_end,
    post_start_in_main_container,
    post_start_not_durable,
    post_start_without_ip,
    post_start_under_ambient,
    hook_variable,
)
