"""The image that `make image` makes, run as the examples run it."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gate import __version__
from tests.conftest import free_port
from tests.image.container import IMAGE, Container, asked, image_files, run_gate
from tests.process import listening

LEAN = os.environ.get(IMAGE, "") + "-lean"
AGAIN = os.environ.get(IMAGE, "") + "-again"
BASE = os.environ.get(IMAGE, "") + "-base"
EVERY_SCHEME = """\
http://127.0.0.1:{port}/  json=ready
https://127.0.0.1:{port}/  http2
tcp://127.0.0.1:{port}
tls://127.0.0.1:{port}
unix:///nothing/here.sock
dns://localhost  type=SRV server=127.0.0.1:{port}
grpc://127.0.0.1:{port}
postgresql://someone:secret@127.0.0.1:{port}/app
mysql://someone:secret@127.0.0.1:{port}/app  query="SELECT 1"
redis://127.0.0.1:{port}
mongodb://someone:secret@127.0.0.1:{port}/
amqp://127.0.0.1:{port}
kafka://someone:secret@127.0.0.1:{port}  sasl=scram-sha-256
nats://127.0.0.1:{port}
memcached://127.0.0.1:{port}
mqtt://127.0.0.1:{port}
file:///nothing/here
exec:/nothing/here
"""
OPTIONAL = {"aiodns", "brotli", "click", "pip", "pycares", "pygments", "rich", "typer", "uvloop"}
OPTIONAL |= {"opentelemetry"}


EVERY_EXTENSION = """
import os, sysconfig
from importlib import import_module
for file in os.listdir(sysconfig.get_path("stdlib") + "/lib-dynload"):
    print(import_module(file.partition(".")[0]).__name__)
"""
PYTHON_OF_GATE = "print(open('/usr/local/bin/gate').readline()[2:].split()[0])"
"""Prints the interpreter that the command `gate` names."""


def waiting_for(port: int) -> dict[str, str]:
    return {"GATE_DEPENDENCIES": f"db tcp://127.0.0.1:{port}"}


def say(capsys: pytest.CaptureFixture[str], text: str) -> None:
    """Print what was measured, passed or not."""
    with capsys.disabled():
        sys.stdout.write(f"\n{text}\n")


def memory_options() -> list[str]:
    """Return the examples' memory limit, where this machine lets podman set one."""
    limit = "--memory=96m"
    return [limit] if run_gate("--version", options=[limit]).returncode == 0 else []


def test_a_served_gate_is_probed_over_http_from_outside() -> None:
    port = free_port()
    with Container(env=waiting_for(port), options=memory_options()) as gate:
        gate.until("dependency.waiting")
        waiting = gate.ask("/startupz")
        with listening(port):
            opened = gate.ask("/startupz?hold=15s")

    assert waiting[0] == 503
    assert "[-]db waiting: connection refused" in waiting[1]
    assert opened[0] == 200


def test_exec_probes_and_hooks_ask_the_running_gate() -> None:
    port = free_port()
    with Container(env=waiting_for(port)) as gate:
        gate.until("dependency.waiting")
        waiting = gate.execute("gate", "probe")
        with listening(port):
            opened = gate.execute("gate", "probe", "--hold", "15s")
            hook = gate.execute("gate", "hold", "--timeout", "15s")

    assert (waiting.returncode, opened.returncode, hook.returncode) == (1, 0, 0)
    assert "db: connection refused" in waiting.stdout


@pytest.mark.parametrize("moment", ["gate.started", "dependency.waiting"])
def test_as_pid_1_sigterm_ends_it_within_200_ms_with_0(
    moment: str, capsys: pytest.CaptureFixture[str]
) -> None:
    took = fastest_end(lambda gate: gate.until(moment))

    say(capsys, f"SIGTERM to exit: {took * 1000:.0f} ms")
    assert took < 0.2


def fastest_end(until: Callable[[Container], object], options: Sequence[str] = ()) -> float:
    """Return the seconds from SIGTERM to exit, of a few tries: the machine is shared."""
    fastest = math.inf
    for _ in range(5):
        with Container(env=waiting_for(free_port()), options=options) as gate:
            until(gate)
            code, took = gate.stop()
        assert code == 0
        fastest = min(fastest, took)
        if fastest < 0.2:
            break
    return fastest


def test_sigterm_while_it_still_imports_ends_it_with_0() -> None:
    slow = [*memory_options(), "--cpus=0.2"] if memory_options() else []

    assert fastest_end(Container.until_it_listens, slow) < 0.2


def test_the_termination_message_goes_through_a_mounted_file(tmp_path: Path) -> None:
    message = tmp_path / "termination-log"
    message.touch()
    message.chmod(0o666)
    port = free_port()
    mount = f"--volume={message}:/dev/termination-log"
    with Container(env=waiting_for(port), options=[mount]) as gate:
        gate.until("dependency.waiting")
        while_waiting = message.read_text()
        with listening(port):
            gate.until("gate.opened")
            gate.ask("/startupz?hold=5s")
        when_open = message.read_text()

    assert message.stat().st_uid == 0
    assert "db: connection refused" in while_waiting
    assert when_open == ""


def test_as_an_init_container_it_exits_0_when_all_is_ready() -> None:
    with listening() as port:
        done = run_gate("wait", f"tcp://127.0.0.1:{port}")

    assert done.returncode == 0, done.stderr


def test_as_an_init_container_it_exits_1_when_time_is_up() -> None:
    done = run_gate("wait", f"db tcp://127.0.0.1:{free_port()}", "--timeout=2s")

    assert done.returncode == 1
    assert "db: connection refused" in done.stdout + done.stderr


def test_as_an_init_container_it_exits_2_when_it_is_told_nonsense() -> None:
    done = run_gate("wait", "ftp://files")

    assert done.returncode == 2
    assert "unknown scheme" in done.stderr


def test_where_ipv6_is_turned_off_it_serves_on_ipv4() -> None:
    own_network = ["--network=none", "--sysctl=net.ipv6.conf.all.disable_ipv6=1"]
    with Container(env={"GATE_DISABLED": "a test"}, options=own_network) as gate:
        gate.until("gate.opened")
        probe = gate.execute("gate", "probe", "--hold=5s")

    assert probe.returncode == 0, probe.stderr


@pytest.mark.parametrize("user", ["12345", "12345:0", "0"])
def test_any_uid_can_run_it(user: str) -> None:
    with listening() as port:
        done = run_gate("wait", f"tcp://127.0.0.1:{port}", options=[f"--user={user}"])

    assert done.returncode == 0, done.stderr


def test_the_variables_of_a_python_app_have_no_say() -> None:
    shared = ["--env=PYTHONPATH=/nothing", "--env=PYTHONHOME=/nothing", "--env=PYTHONVERBOSE=1"]

    done = run_gate("--version", options=shared)

    assert (done.returncode, done.stderr) == (0, "")


def verbose_start(*arguments: str, env: dict[str, str]) -> str:
    """Return what Python tells of its imports from the start of a container to its end."""
    python = asked("run", "--rm", "--entrypoint=python3", os.environ[IMAGE], "-ISc", PYTHON_OF_GATE)
    verbose = [f"--entrypoint={json.dumps([python, '-vIS', '/usr/local/bin/gate'])}"]
    with Container(*arguments, env=env, options=verbose) as gate:
        if arguments[0] == "serve":
            gate.until("dependency.waiting")
            gate.ask("/status")
            gate.ask("/metrics")
            gate.stop()
        gate.end()
        return gate.log


def compiled_from_source(log: str) -> list[str]:
    """Return the modules whose source had to be compiled."""
    named = re.findall(r"^# code object from '?([^'\n]+)", log, re.MULTILINE)
    return [path for path in named if not path.endswith(".pyc")]


def modules(log: str) -> set[str]:
    return set(re.findall(r"^import '([^']+)' #", log, re.MULTILINE))


def imported(log: str) -> set[str]:
    return {name.partition(".")[0] for name in modules(log)}


def unlisted(log: str) -> set[str]:
    """Return what was imported, of others and public, and is not on the list in `imports.txt`."""
    listed = Path(__file__).with_name("imports.txt").read_text().split()
    found = {name for name in modules(log) if not re.search(r"^gate\b|(^|\.)_[^_]", name)}
    return found - set(listed)


def test_on_the_bare_base_python_would_compile_at_every_start() -> None:
    python = ["--entrypoint=python3"]
    done = run_gate("-vISc", "import asyncio", options=python, image=BASE)

    assert len(compiled_from_source(done.stderr)) > 50


def test_serving_compiles_nothing_at_the_start_and_imports_nothing_that_is_not_listed() -> None:
    """Each module more is paid for by every pod; one that must be is written into the list."""
    log = verbose_start("serve", env=waiting_for(free_port()))

    assert {"aiohttp", "structlog", "asyncio"} <= imported(log)
    assert compiled_from_source(log) == []
    assert "# wrote" not in log
    assert unlisted(log) == set()


def test_every_check_loads_its_driver_and_compiles_nothing() -> None:
    env = {"GATE_DEPENDENCIES": EVERY_SCHEME.format(port=free_port())}
    log = verbose_start("wait", "--once", env=env)

    drivers = {"asyncpg", "dns", "h2", "httpx", "jmespath", "pymongo"}
    assert drivers - imported(log) == set()
    assert compiled_from_source(log) == []
    assert imported(log).isdisjoint(OPTIONAL)


def test_without_extras_the_driver_that_is_missing_is_named() -> None:
    done = run_gate("wait", "--once", "postgresql://a:b@127.0.0.1/app", image=LEAN)

    assert done.returncode == 2
    assert "asyncpg" in done.stderr


def test_the_whole_standard_library_is_compiled_for_good() -> None:
    with image_files() as root:
        (library,) = [*root.glob("usr/lib/python3.*"), *root.glob("usr/local/lib/python3.*")]
        sources = [*library.glob("*.py"), *library.glob("*/*.py")]
        sources += root.glob("opt/gate/**/*.py")
        flags = {path: unchecked(path) for path in sources}

    assert len(flags) > 1000
    assert [path for path, is_unchecked in flags.items() if not is_unchecked] == []


def unchecked(source: Path) -> bool:
    """Tell whether the .pyc of *source* holds a hash, and one that is not compared."""
    found = list((source.parent / "__pycache__").glob(f"{source.stem}.cpython-*.pyc"))
    return len(found) == 1 and found[0].read_bytes()[4:8] == b"\x01\x00\x00\x00"


def test_nothing_is_in_it_that_gate_does_not_need() -> None:
    with image_files() as root:
        names = {path.name for path in (root / "opt/gate/packages").iterdir()}
        files = [path.relative_to(root) for path in (root / "opt/gate").rglob("*")]
        tools = {path.name for path in (root / "usr/bin").iterdir()}

    assert names.isdisjoint(OPTIONAL | {"setuptools", "wheel", "bin", "docs", "examples"})
    assert [path for path in files if path.suffix in {".pyi", ".pyx", ".c", ".h"}] == []
    assert [path for path in files if path.name in {"tests", "test"}] == []
    assert tools.isdisjoint({"sh", "pip", "pip3", "apt", "dpkg"})


def test_all_shared_libraries_of_the_standard_library_are_there() -> None:
    done = run_gate("-ISc", EVERY_EXTENSION, options=["--entrypoint=python3"])

    assert done.returncode == 0, done.stderr
    assert {"_ssl", "_ctypes", "_lzma", "_uuid"} <= set(done.stdout.split())


def test_docstrings_of_others_take_no_memory_and_those_of_gate_are_printed() -> None:
    code = "import asyncio; print(asyncio.run.__doc__)"
    python = run_gate("-ISc", code, options=["--entrypoint=python3"])
    gate = run_gate("lint", "--explain", "probe-host")

    assert python.stdout.strip() == "None"
    assert "A probe goes to" in gate.stdout


def test_it_brings_its_licence() -> None:
    with image_files() as root:
        (licence,) = root.glob("opt/gate/app/podgate-*.dist-info/licenses/LICENSE")
        text = licence.read_text()

    assert text == Path("LICENSE").read_text()


@pytest.fixture(scope="module")
def materials() -> dict[str, Any]:
    """Return the bill of materials, as `make sbom` has the image write it."""
    code = Path(".ci/sbom").read_text()
    text = asked("run", "--rm", "--entrypoint=python3", os.environ[IMAGE], "-ISc", code)
    return dict(json.loads(text))


def test_the_bill_of_materials_names_gate_its_packages_python_and_the_base(
    materials: dict[str, Any],
) -> None:
    found = {each["name"]: each for each in materials["components"]}
    python = asked("run", "--rm", "--entrypoint=python3", os.environ[IMAGE], "--version")

    assert (materials["bomFormat"], materials["specVersion"]) == ("CycloneDX", "1.6")
    assert materials["metadata"]["component"]["version"] == __version__
    assert found["aiohttp"]["version"] == locked()["aiohttp"]
    assert found["aiohttp"]["licenses"] == [{"expression": "Apache-2.0 AND MIT"}]
    assert f"Python {found['python']['version']}" == python
    assert re.fullmatch(r"pkg:deb/debian/libc6@2\.\d[^?]+\?arch=\w+&distro=debian-\w+", libc(found))
    assert "libffi8" in found  # which the base has with the interpreter alone


def libc(found: dict[str, dict[str, Any]]) -> str:
    return str(found["libc6"]["purl"])


def locked() -> dict[str, str]:
    lines = Path(".ci/requirements.txt").read_text()
    return dict(re.findall(r"^([\w.-]+)==(\S+)", lines, re.MULTILINE))


def test_the_bill_of_materials_has_all_that_is_installed_and_no_more(
    materials: dict[str, Any],
) -> None:
    with image_files() as root:
        installed = {
            path.name.removesuffix(".dist-info").replace("_", "-").lower()
            for path in root.glob("opt/gate/packages/*.dist-info")
        }
    purls = [each["purl"] for each in materials["components"]]

    assert {
        purl.removeprefix("pkg:pypi/").replace("@", "-") for purl in purls if "pypi" in purl
    } == (installed)
    assert len(purls) == len(set(purls))


def test_the_bill_of_materials_says_what_needs_what(materials: dict[str, Any]) -> None:
    needs = {each["ref"]: each["dependsOn"] for each in materials["dependencies"]}
    versions = locked()
    httpx, h11 = (f"pkg:pypi/{name}@{versions[name]}" for name in ("httpx", "h11"))

    assert httpx in needs[f"pkg:generic/gate@{__version__}"]
    assert h11 in needs[f"pkg:pypi/httpcore@{versions['httpcore']}"]


def test_all_may_read_what_only_root_may_write() -> None:
    with image_files() as root:
        own = [root / "usr/local/bin/gate", *(root / "opt/gate").rglob("*")]
        wrong = [p for p in own if p.stat().st_uid or p.stat().st_mode & 0o7022 or not is_open(p)]

    assert wrong == []


def is_open(path: Path) -> bool:
    wanted = 0o555 if path.is_dir() else 0o444
    return path.stat().st_mode & wanted == wanted


def test_the_image_says_how_it_is_run() -> None:
    (image,) = json.loads(asked("image", "inspect", os.environ[IMAGE]))
    config = image["Config"]

    assert config["Entrypoint"] == ["gate"]
    assert config["Cmd"] == ["serve"]
    assert config["User"] == "65532:65532"
    assert config["ExposedPorts"] == {"4283/tcp": {}}
    assert config["StopSignal"] == "SIGTERM"
    assert config["Labels"]["org.opencontainers.image.title"] == "gate"
    assert config["Labels"]["org.opencontainers.image.licenses"] == "MIT"


def test_the_same_sources_give_the_same_layers() -> None:
    assert layers(AGAIN) == layers(os.environ[IMAGE])


def layers(image: str) -> list[str]:
    (found,) = json.loads(asked("image", "inspect", image))
    return list(found["RootFS"]["Layers"])


def test_a_gate_that_waits_needs_less_than_half_of_the_examples_limit(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Container(env=waiting_for(free_port())) as gate:
        gate.until("dependency.waiting")
        gate.ask("/status")
        status = Path(f"/proc/{gate.pid}/status").read_text()

    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
    own = int(re.findall(r"RssAnon:\s+(\d+) kB", status)[0]) / 1024
    say(capsys, f"a waiting gate: at most {peak:.1f} MiB, now {own:.1f} MiB of its own")
    assert peak < 48


def test_every_locked_package_has_a_wheel_for_arm64_and_no_extra_needs_another(
    tmp_path: Path,
) -> None:
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    version = asked("run", "--rm", "--entrypoint=python3", os.environ[IMAGE], "-c", code)
    platform = [
        *("--only-binary=:all:", f"--python-version={version}", "--implementation=cp"),
        *("--platform=manylinux_2_28_aarch64", "--platform=manylinux2014_aarch64"),
    ]
    wheels = str(tmp_path)

    locks = ("--no-deps", "--require-hashes", "--requirement=.ci/requirements.txt")
    pip("download", *platform, f"--dest={wheels}", *locks)

    # As the Dockerfile does, with EXTRAS=all,otel.
    only = ("--no-index", f"--find-links={wheels}", f"--target={wheels}/target", "--dry-run")
    pip("install", *platform, *only, *requirements())


def pip(command: str, *arguments: str) -> None:
    words = [sys.executable, "-m", "pip", command, "--quiet", *arguments]
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


def requirements() -> list[str]:
    """Return what gate and all of its extras need."""
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    extras = [each for extra in project["optional-dependencies"].values() for each in extra]
    assert any("opentelemetry" in each for each in extras)
    return [each for each in project["dependencies"] + extras if not each.startswith("podgate[")]
