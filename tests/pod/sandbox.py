"""The pod's place on disk: volumes, termination messages, and the commands that use them.

Local processes share the host's file system, so nothing can be mounted at `mountPath`. Instead
each mounted path is replaced, as text, by a folder of its own wherever it begins a path in env
values, commands and args. The files an app opens by names built into it are out of reach.
"""

import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from tests.pod.env import (
    Sources,
    environment,
    expand_all,
    expand_static,
    lookup,
    service_variables,
    texts_of,
)
from tests.pod.model import Container, PodSpec, Volume, VolumeFile
from tests.pod.node import Node
from tests.pod.process import Launch

MESSAGE_VARIABLE = "GATE_TERMINATION_LOG"


class Sandbox:
    """Makes launches for one pod; `close` removes its files."""

    def __init__(self, spec: PodSpec, node: Node) -> None:
        self._node = node
        self._name = spec.name
        self._folder = tempfile.TemporaryDirectory(prefix="pod-", ignore_cleanup_errors=True)
        self.root = Path(self._folder.name)
        links = service_variables(node.services) if spec.service_links else {}
        self._sources = Sources(
            fields=_fields(spec, node),
            service_variables=links,
            secrets=node.secrets,
            config_maps=node.config_maps,
        )
        for volume in spec.volumes:
            self._make_volume(volume)

    def close(self) -> None:
        """Remove everything on disk."""
        self._folder.cleanup()

    def message_file(self, container: Container, number: int) -> Path:
        """Create the empty file an instance may leave its last words in (fact 8.1)."""
        path = self.root / f"{container.name}-{number}.termination-log"
        path.touch()
        path.chmod(0o666)
        return path

    def main(self, container: Container, message_file: Path) -> Launch:
        """Return what starts *container* itself."""
        env = self._environment(container, message_file)
        argv = expand_all(self._node.argv(container), env)
        return self._launch(container, argv, message_file)

    def probe(self, container: Container, words: Sequence[str], message_file: Path) -> Launch:
        """Return what runs an exec probe: static expansion, the container's environment (4.4)."""
        return self._launch(container, expand_static(words, container), message_file)

    def hook(self, container: Container, words: Sequence[str], message_file: Path) -> Launch:
        """Return what runs an exec hook: no expansion at all (fact 5.6)."""
        return self._launch(container, words, message_file)

    def _launch(self, container: Container, argv: Sequence[str], message_file: Path) -> Launch:
        paths = self._paths(container, message_file)
        working_dir = _localise(container.working_dir, paths)
        return Launch(
            argv=self._node.resolve([_localise(word, paths) for word in argv]),
            env=self._environment(container, message_file),
            cwd=working_dir if Path(working_dir).is_dir() and working_dir else self._node.cwd,
        )

    def _environment(self, container: Container, message_file: Path) -> dict[str, str]:
        paths = self._paths(container, message_file)
        own = environment(container, self._sources)
        env = {name: _localise(text, paths) for name, text in own.items()}
        # A real container finds its file at a fixed path; here the path has to be told.
        env.setdefault(MESSAGE_VARIABLE, str(message_file))
        return {**self._node.base_env, "HOSTNAME": self._name, **env}

    def _paths(self, container: Container, message_file: Path) -> dict[str, str]:
        mounts = {
            mount.path: str(self._volume_folder(mount.volume) / mount.sub_path)
            for mount in container.mounts
        }
        return {**mounts, container.message_path: str(message_file)}

    def _volume_folder(self, name: str) -> Path:
        return self.root / "volumes" / name

    def _make_volume(self, volume: Volume) -> None:
        folder = self._volume_folder(volume.name)
        folder.mkdir(parents=True)
        for file in volume.files:
            for path, text in self._contents(file).items():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_text(text)

    def _contents(self, file: VolumeFile) -> dict[str, str]:
        if not file.source.key:
            return dict(texts_of(file.source, self._sources))
        text = lookup(file.source, self._sources)
        return {} if text is None else {file.path: text}


def _fields(spec: PodSpec, node: Node) -> dict[str, str]:
    """The downward API's fields an environment variable may be taken from."""
    return {
        "metadata.name": spec.name,
        "metadata.namespace": spec.namespace,
        "metadata.uid": "00000000-0000-4000-8000-000000000000",
        "spec.nodeName": "local",
        "spec.serviceAccountName": "default",
        "status.hostIP": "127.0.0.1",
        "status.podIP": node.pod_ip,
        "status.podIPs": node.pod_ip,
    }


def _localise(text: str, paths: dict[str, str]) -> str:
    """Replace mounted paths where a path begins, plain or percent-encoded as in `http+unix`."""
    for inside, outside in sorted(paths.items(), reverse=True):
        begins = rf"(?<![\w.\-\]]){re.escape(inside)}(?![\w.\-])"
        text = re.sub(begins, lambda _match, path=outside: path, text)  # type: ignore[misc]
        text = text.replace(quote(inside, safe=""), quote(outside, safe=""))
    return text
