"""postStart and preStop (fact 5)."""

import asyncio

from tests.pod.http_probe import BodyError, TransportError, get
from tests.pod.instance import Instance
from tests.pod.model import Action, Exec, HttpGet, Sleep
from tests.pod.probes import http_request, port_of
from tests.pod.process import run
from tests.pod.state import PodState

_USER_AGENT = "kube-lifecycle/1.36"


class HookError(Exception):
    """A hook failed; the text is what the container's status says of it (fact 5.7)."""


async def run_hook(state: PodState, instance: Instance, action: Action) -> None:
    """Run a hook to its end, without any limit of time (fact 5.4); HookError if it failed."""
    if isinstance(action, Sleep):
        await asyncio.sleep(action.seconds)
    elif isinstance(action, Exec):
        await _exec(state, instance, action)
    elif isinstance(action, HttpGet):
        await _http(state, instance, action)
    else:
        text = "invalid handler: tcpSocket"
        raise HookError(text)


async def _exec(state: PodState, instance: Instance, action: Exec) -> None:
    """The command is taken as written, nothing is expanded in it (fact 5.6).

    If the container ends meanwhile, so does the command, by SIGKILL: the hook has failed.
    """
    launch = state.sandbox.hook(instance.container, action.command, instance.message_file)
    command = " ".join(action.command)
    try:
        completed = await run(launch, None, instance.ended)
    except OSError as exc:
        text = f"Exec lifecycle hook ([{command}]) failed: {exc.strerror}"
        raise HookError(text) from exc
    if completed.exit_code:
        output = completed.output.decode(errors="replace")
        text = (
            f"Exec lifecycle hook ([{command}]) for Container {instance.container.name!r} "
            f"failed - error: command exited with {completed.exit_code}, message: {output!r}"
        )
        raise HookError(text)


async def _http(state: PodState, instance: Instance, action: HttpGet) -> None:
    """Any answer is a success, whatever its status (fact 5.2); none is not, at once (5.3)."""
    try:
        port = port_of(action, instance)
        await get(http_request(action, state.node.pod_ip, port, _USER_AGENT), None)
    except (TransportError, KeyError) as exc:
        text = f"HTTP lifecycle hook ({action.path}) failed: {exc}"
        raise HookError(text) from exc
    except BodyError:
        return
