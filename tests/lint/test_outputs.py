"""The forms of a report: for people, programs, GitHub, code scanning, CI servers."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft7Validator

from gate.lint import Report, lint
from gate.lint.outputs import FORMS
from tests.lint.corpus import HERE, linted, names, text_of

POD = """kind: Pod
metadata: {name: shop}
spec:
  initContainers:
    - name: tail
      image: tools
      command: [tail, -f, /log] # password=hunter2
  containers: [{name: app, image: app}]
"""
SECRET = "hunter2"
SARIF = Draft7Validator(json.loads((HERE / "sarif.schema.json").read_text()))
COMMAND = re.compile(
    r"::(?:error|warning|notice) file=[^,:\s]+,line=[1-9]\d*,title=gate lint%3A [a-z-]+::\S.*"
)


def report() -> Report:
    return lint([("dir, a/x:y%.yaml", POD)])


def test_text_names_place_key_what_happens_and_the_remedy() -> None:
    assert FORMS["text"](report()) == (
        "dir, a/x:y%.yaml:7: error: init-never-ends\n"
        "    in Pod shop, container tail\n"
        "  > command\n"
        "    this runs until it is killed, so the kubelet starts nothing behind it\n"
        "    remedy: add restartPolicy: Always to make it a sidecar, or let it end\n"
        "\n"
        "1 pod in 1 file: 1 error\n"
    )


def test_text_says_so_when_nothing_is_found() -> None:
    assert FORMS["text"](lint([])) == "0 pods in 0 files: nothing found\n"


def test_json_holds_each_finding() -> None:
    written = json.loads(FORMS["json"](report()))

    assert (written["files"], written["pods"]) == (1, 1)
    (finding,) = written["findings"]
    assert finding["line"] == 7
    assert finding["severity"] == "error"
    assert set(finding) == {*("file", "line", "rule", "severity", "subject", "message", "remedy")}


def test_github_has_one_command_a_finding_with_its_signs_escaped() -> None:
    assert FORMS["github"](report()) == (
        "::error file=dir%2C a/x%3Ay%25.yaml,line=7,title=gate lint%3A init-never-ends::"
        "this runs until it is killed, so the kubelet starts nothing behind it; "
        "add restartPolicy: Always to make it a sidecar, or let it end\n"
    )


def test_sarif_describes_the_rules_that_it_names() -> None:
    (run,) = json.loads(FORMS["sarif"](report()))["runs"]

    (rule,) = run["tool"]["driver"]["rules"]
    (result,) = run["results"]
    assert rule["id"] == result["ruleId"] == "init-never-ends"
    assert rule["defaultConfiguration"]["level"] == result["level"] == "error"
    place = result["locations"][0]["physicalLocation"]
    assert place["region"]["startLine"] == 7
    assert place["artifactLocation"]["uri"] == "dir%2C%20a/x%3Ay%25.yaml"


def test_junit_is_a_failure_for_what_there_is_to_act_on() -> None:
    root = ET.fromstring(FORMS["junit"](report()))

    assert (root.get("tests"), root.get("failures")) == ("1", "1")
    assert root.find("testsuite/testcase/failure") is not None


def test_junit_lets_info_pass_and_has_a_test_where_nothing_is_found() -> None:
    info = ET.fromstring(FORMS["junit"](lint([("x", text_of("bad", "slow-probe"))])))
    none = ET.fromstring(FORMS["junit"](lint([("x", text_of("good", "slow-probe"))])))

    assert info.get("failures") == none.get("failures") == "0"
    assert info.find("testsuite/testcase/system-out") is not None
    assert none.find("testsuite/testcase") is not None


@pytest.mark.parametrize("name", names("bad"))
def test_json_is_well_formed_for_any_finding(name: str) -> None:
    report = linted("bad", name)

    written = json.loads(FORMS["json"](report))

    assert len(written["findings"]) == len(report.findings)
    assert {each["severity"] for each in written["findings"]} <= {"error", "warning", "info"}


@pytest.mark.parametrize("name", names("bad"))
def test_sarif_keeps_to_its_schema_for_any_finding(name: str) -> None:
    whole = json.loads(FORMS["sarif"](linted("bad", name)))

    SARIF.validate(whole)
    (run,) = whole["runs"]
    described = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == described


def test_the_schema_knows_what_gate_writes_and_no_more() -> None:
    whole = json.loads(FORMS["sarif"](report()))
    whole["runs"][0]["results"][0]["line"] = 1

    assert not SARIF.is_valid(whole)
    assert SARIF.is_valid(json.loads(FORMS["sarif"](lint([]))))


@pytest.mark.parametrize("name", names("bad"))
def test_github_has_only_commands_that_it_knows(name: str) -> None:
    report = linted("bad", name)

    lines = FORMS["github"](report).splitlines()

    assert len(lines) == len(report.findings)
    for line in lines:
        assert COMMAND.fullmatch(line), line


@pytest.mark.parametrize("name", names("bad"))
def test_junit_is_well_formed_for_any_finding(name: str) -> None:
    root = ET.fromstring(FORMS["junit"](linted("bad", name)))

    cases = root.findall("testsuite/testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    assert root.tag == "testsuites"
    assert root.get("tests") == str(len(cases))
    assert root.get("failures") == str(len(failed))
    assert all(case.get("name") and case.get("classname") for case in cases)


PLACES = [
    "  containers: [{name: a, image: wait4x, env: [{name: DB_PASSWORD, value: hunter2}]}]",
    "  containers: [{name: a, image: a, env: [{name: X, value: 'x://u:hunter2@h'}], args: [1]}]",
    (
        "  containers: [{name: gate, image: gate, args: [wait], env: [{name: GATE_DEPENDENCIES,"
        " value: 'db postgresql://u:hunter2@db:x/ timeot=hunter2'}]}]"
    ),
    (
        "  initContainers: [{name: gate, image: gate, args: [wait], env: [{name: GATE_DEPENDENCIES,"
        " value: 'db postgresql://u:hunter2@localhost/ hunter2'}]}]\n"
        "  containers: [{name: a, image: a, ports: [{containerPort: 5432}]}]"
    ),
    (
        "  initContainers: [{name: g, image: g, command: [sh, -c, 'until curl"
        " http://u:hunter2@localhost:80/; do sleep 1; done; tail -f x']}]\n"
        "  containers: [{name: a, image: a, ports: [{containerPort: 80}]}]"
    ),
    (
        "  initContainers: [{name: g, image: g, command: [tail, -f, --password=hunter2]}]\n"
        "  containers: [{name: a, image: a, args: ['$(HUNT)', '--token', hunter2]}]"
    ),
    "  containers: [{name: a, image: a, env: [{name: X, value: *hunter2}]}]",
    "  containers: [{name: a, image: a, env: [{name: X, value: 'hunter2}]}]",
    "  containers: [{name: a, image: a, env: [{name: X, value: hunter2: x}]}]",
    "  containers: [{name: a, image: wait4x, env: [{name: X, value: '$$hunter2'}]}]",
    "  containers: [{name: a, image: a, env: [{name: X, value: a\n     hunter2: x}]}]",
    (
        "  initContainers: [{name: g, image: g, command: [sh, -c, 'until redis-cli -a hunter2 ping;"
        " do sleep 1; done; tail -f /hunter2']}]\n  containers: [{name: a, image: a}]"
    ),
    (
        "  containers: [{name: a, image: a, livenessProbe: {httpGet: {path: '/sso?sig=hunter2',"
        " port: web}}}]"
    ),
    (
        "  containers: [{name: a, image: a, readinessProbe: {exec: {command: [gate, hunter2]}},"
        " lifecycle: {postStart: {exec: {command: [sh, -c, 'until curl -u a:hunter2 x; do :; done']"
        "}}}}]"
    ),
    "  initContainers: [{name: a, image: a, command: [sh, -c, 'mysql -phunter2; tail -f x']}]",
    "  containers: [{name: a, image: wait4x, args: ['http', 'http://u:hunter2@db:1']}]",
    "  containers: [{name: gate, image: gate, args: [wait, 'postgresql://u:hunter2@db/x']}]",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_never_shown(form: str, place: str) -> None:
    report = lint([("x.yaml", f"kind: Deployment\nspec:\n template:\n  spec:\n  {place}\n")])
    alone = lint([("x.yaml", f"kind: Pod\nspec:\n{place}\n")])

    assert alone.findings
    assert SECRET not in FORMS[form](report) + FORMS[form](alone)
