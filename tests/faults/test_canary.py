"""One secret in every place a secret can be: no output holds it.

Each output passes through `tests.canary.look`, which fails the session at its end; here it is asked
at once. The other side repeats all that it is told, as servers do in their errors.
"""

from __future__ import annotations

import json
import socket
import threading
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from gate.cli import main
from gate.lint.outputs import FORMS
from tests.canary import CANARY, LOOKOUT, Lookout
from tests.process import GateProcess, run_gate

WRONG = f"""
a postgresql://app:{CANARY}@db:5432/app;sslmode=sure
b redis://:{CANARY}@cache:port/0
c http://web/?token={CANARY} header={CANARY}
d htp://{CANARY}@web/
e mysql://app:{CANARY}@db/app?ssl-mode={CANARY}#{CANARY} tiemout=3s
f http://web/ bearer-file={CANARY} proxy=http://u:{CANARY}@
g "amqp://app:{CANARY}@mq
"""


MANIFEST = f"""
kind: Deployment
metadata: {{name: shop}}
spec:
  template:
    spec:
      initContainers:
      - name: wait-db
        image: postgres:16
        env: [{{name: PGPASSWORD, value: {CANARY}}}]
        command: [sh, -c, 'until psql postgresql://app:{CANARY}@db/app; do sleep 1; done']
      - name: wait-cache
        image: redis:7
        command: [sh, -c, 'until redis-cli -h cache -a {CANARY} ping; do sleep 1; done']
      - name: wait-mysql
        image: mysql:8
        command: [sh, -c, 'until mysqladmin ping -h mysql -uapp -p{CANARY}; do sleep 1; done']
      - name: wait-web
        image: curlimages/curl
        command:
        - sh
        - -c
        - until curl -u app:{CANARY} -H "X-Key:{CANARY}" "http://web/?k={CANARY}"; do :; done
      - name: wait-python
        image: python:3
        command:
        - python
        - -c
        - "while True: requests.get('http://u:{CANARY}@api/x?key={CANARY}')"
      - name: gate
        image: registry.example.com/gate:0.1.0
        restartPolicy: Always
        env:
        - name: GATE_DEPENDENCIES
          value: |
            db postgresql://app:{CANARY}@db/app;sslmode=sure
            cache redis://:{CANARY}@cache:port/0
            web http://web/?token={CANARY} header={CANARY} tiemout=3s
        - {{name: GATE_BEARER, value: {CANARY}}}
        - {{name: GATE_FROM_ENV, value: DATABASE_URL}}
        - {{name: DATABASE_URL, value: "postgresql://app:{CANARY}@db:bad/app"}}
      containers:
      - name: app
        image: shop:1
        env:
        - {{name: DATABASE_URL, value: "postgresql://app:{CANARY}@db/app?password={CANARY}"}}
        - {{name: AMQP_URI, value: "amqp://app:{CANARY}@mq:x/"}}
        - {{name: API_URL, value: "https://api/{CANARY}?key={CANARY}"}}
        - {{name: SQL, value: "Server=sql;User Id=app;Password={CANARY};"}}
        - {{name: DB_PASSWORD, value: {CANARY}}}
        startupProbe: {{httpGet: {{path: "/x?token={CANARY}", port: 80}}}}
"""


def test_what_looks_for_it_finds_it_in_every_form() -> None:
    lookout = Lookout()
    said = [
        *(CANARY, CANARY.upper(), "s3cret", f"%6b{CANARY[1:]}", f"{CANARY[:-1]}%5A"),
        *(b64encode(f"{'u' * number}:{CANARY}!".encode()).decode() for number in range(3)),
    ]
    for text in said:
        lookout.look("here", f"... {text} ...")
    lookout.look("here", b"nothing of it")

    assert len(lookout.seen) == len(said)


@contextmanager
def parrot() -> Iterator[int]:
    """A server that repeats what it is told, in an answer of the protocol it was told it in."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    sock = listener.accept()[0]
                    threading.Thread(target=answer, args=(sock,), daemon=True).start()

        serving = threading.Thread(target=serve, daemon=True)
        serving.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            serving.join()


def answer(sock: socket.socket) -> None:
    with suppress(OSError), closing(sock):
        told = sock.recv(4096)
        words = " ".join(told.decode("latin-1").split())
        if b" HTTP/1.1\r\n" in told:
            down = {"components": {words: {"status": "DOWN"}, CANARY: {"status": "DOWN"}}}
            body = json.dumps(down).encode()
            head = f"HTTP/1.1 503 {CANARY}\r\nContent-Length: {len(body)}\r\n\r\n"
            sock.sendall(head.encode() + body)
        elif told.startswith(b"*"):
            sock.sendall(f"-ERR {words}\r\n".encode())
        elif told[4:8] == b"\0\3\0\0":
            fields = f"SFATAL\0C28P01\0Mwrong: {words} {CANARY}\0\0".encode()
            sock.sendall(b"E" + (len(fields) + 4).to_bytes(4) + fields)
        else:
            sock.sendall(told + b"\r\n" + words.encode() + b"\r\n")


def everywhere(port: int, folder: Path) -> str:
    """Return dependencies that hold the secret wherever one may be."""
    secret = folder / "s"
    secret.write_text(CANARY)
    (folder / "basic").write_text(f"user:{CANARY}")
    claims = b64encode(json.dumps({"exp": 1 << 40, "sub": CANARY}).encode()).decode().rstrip("=")
    identity = folder / "i"
    identity.write_text(f"head.{claims}.{CANARY}")
    here = f"127.0.0.1:{port}"
    login = f"authority=http://{here}"
    return f"""
    basic    http://user:{CANARY}@{here}/
    query    http://{here}/?api_key={CANARY}&x=%6b{CANARY[1:]} detail=on
    header   http://{here}/ header="X-Token: {CANARY}" header="Authorization: Bearer {CANARY}"
    body     http://{here}/ method=POST body={CANARY} status=200
    bearer   http://{here}/ bearer-file={secret}
    file     http://{here}/ basic-file={folder}/basic
    proxy    https://web.example/ proxy=http://user:{CANARY}@{here}
    redis    redis://:{CANARY}@{here}/0
    cache    redis://app@{here}/0 password-file={secret}
    db       postgresql://app:{CANARY}@{here}/app?sslmode=disable
    replica  postgresql://app@{here}/app?sslmode=disable&password={CANARY}
    orders   mysql://app:{CANARY}@{here}/app
    docs     mongodb://app:{CANARY}@{here}/app
    queue    amqp://app:{CANARY}@{here}/app
    topics   kafka://app:{CANARY}@{here} sasl=plain
    nats     nats://{CANARY}@{here}
    mqtt     mqtt://app:{CANARY}@{here}
    grpc     grpc://{here} header="authorization: {CANARY}"
    jobs     k8s:job/x server=http://{here} token-file={secret} namespace=a
    scram    kafka://app:{CANARY}@{here} sasl=scram-sha-512
    maria    mariadb://app@{here}/app password-file={secret} query="SELECT '{CANARY}'"
    sql      mssql://app:{CANARY}@{here}/app
    ado      sqlserver://{here}?database=app&user=app&password={CANARY}
    tns      oracle://app:{CANARY}@{here}/app
    ring     cassandra://app:{CANARY}@{here}
    mail     smtp://app:{CANARY}@{here}
    later    smtp://app@{here} password-file={secret}
    cached   memcached://app:{CANARY}@{here}
    house    clickhouse://app:{CANARY}@{here}
    search   elasticsearch://app:{CANARY}@{here}
    models   openai://{here} model=a header="Authorization: Bearer {CANARY}"
    bucket   s3://app:{CANARY}@bucket endpoint=http://{here}
    session  s3://app:{CANARY}@bucket endpoint=http://{here} session-token-file={secret}
    aws      aws-irsa: role=a token-file={identity} endpoint=http://{here}
    eks      aws-pod-identity: token-file={identity} endpoint=http://{here}
    azure    azure-workload-identity: client-id=a tenant-id=b token-file={identity} {login}
    socket   ws://user:{CANARY}@{here}/?token={CANARY}
    replies  redis+unix:///run/none.sock?password={CANARY}
    content  file://{folder}/basic contains={CANARY}x
    """


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with parrot() as found:
        yield found


@pytest.fixture
def nothing_seen() -> Iterator[None]:
    before = len(LOOKOUT.seen)
    yield
    assert LOOKOUT.seen[before:] == []


@pytest.mark.usefixtures("nothing_seen")
def test_no_endpoint_log_or_file_holds_a_secret(port: int, tmp_path: Path) -> None:
    message = tmp_path / "message"
    settings = {
        "GATE_DEPENDENCIES": everywhere(port, tmp_path),
        "GATE_LOG_LEVEL": "debug",
        "GATE_TERMINATION_LOG": str(message),
        "GATE_ON_TIMEOUT": "open",
        "GATE_SHRINK": "off",
    }
    with GateProcess("serve", env=settings) as gate:
        gate.until('"dependency.waiting"')
        while "db: login refused" not in message.read_text():
            gate.ask("/startupz?hold=100ms")
        waiting = [gate.ask(path) for path in ("/status", "/startupz", "/startupz?brief")]
    with GateProcess("serve", env={**settings, "GATE_TIMEOUT": "1s"}) as gate:
        gate.until("gate.opened")
        told = [gate.ask(path) for path in ("/status", "/metrics", "/", "/readyz", "/startupz")]
        gate.ask("/startupz", User_Agent="kube-probe/1.36")

    assert "gate_open 1" in told[1].body
    assert "***" in waiting[0].body, "the other side has repeated it"


@pytest.mark.usefixtures("nothing_seen")
@pytest.mark.parametrize("words", [["wait", "--once"], ["wait", "--timeout=1s", "--output=json"]])
def test_no_table_or_line_of_json_holds_a_secret(
    port: int, tmp_path: Path, words: list[str]
) -> None:
    settings = {
        "GATE_DEPENDENCIES": everywhere(port, tmp_path),
        "GATE_LOG_LEVEL": "debug",
        "GATE_CHECK_TIMEOUT": "500ms",
    }
    code, out, _ = run_gate(*words, env=settings)

    assert code == 1
    assert "***" in out


@pytest.mark.usefixtures("nothing_seen")
def test_no_mistake_is_told_with_the_secret_in_it(tmp_path: Path) -> None:
    message = tmp_path / "message"
    settings = {
        "GATE_DEPENDENCIES": WRONG,
        "GATE_DEPENDENCY_X": f"redis://:{CANARY}@h timeout=soon",
        "GATE_TERMINATION_LOG": str(message),
    }
    code, _, told = run_gate("serve", env=settings)
    LOOKOUT.look("the message", message.read_text())

    assert code == 2
    assert told.count("\n") >= 6


@pytest.mark.usefixtures("nothing_seen")
def test_no_finding_about_a_manifest_and_no_note_of_inject_holds_a_secret(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path, without_gate = tmp_path / "with.yaml", tmp_path / "without.yaml"
    path.write_text(MANIFEST)
    gate = MANIFEST[MANIFEST.index("      - name: gate\n") : MANIFEST.index("      containers:")]
    without_gate.write_text(MANIFEST.replace(gate, ""))
    commands = [["lint", f"--output={form}", str(path)] for form in FORMS]
    commands += [["inject", "--image=gate:1", "--check", str(without_gate)]]

    for words in commands:
        assert main.main(words) == 1
        told = "".join(capsys.readouterr())
        LOOKOUT.look(words[0], told)
        assert "wait-db" in told or "PGPASSWORD" in told
