"""How a wait asks, and what becomes of it when it gives up."""

from __future__ import annotations

import pytest

from gate.pods import asking, commands

ASK = "nc -z db 5432"
COUNT = "i=0; while [ $i -lt 9 ]; do"


@pytest.mark.parametrize(
    ("script", "fails_open"),
    [
        (f"for i in $(seq 9); do {ASK} && break; sleep 2; done", True),
        (f"for i in 1 2; do {ASK} && exit 0; echo no; sleep 1; done\n", True),
        (f"for i in 1 2; do if {ASK}; then break; fi; sleep 1; done;", True),
        (f"{COUNT} {ASK} && break; i=$((i+1)); sleep 1; done", True),
        (f"n=0\nuntil [ $n -ge 9 ]\ndo\n  {ASK} && break\n  sleep 2\ndone", True),
        ("wait-for-it db:5432 -- app", True),
        ("./wait-for-it.sh db:5432 -t 60 -- app -s", True),
        ("./wait-for-it.sh -s db:5432 -- app", False),
        ("./wait-for-it.sh db:5432", False),
        ("wait-for db:5432 -- app", False),
        (f"for i in 1 2; do {ASK} && exit 0; sleep 1; done; exit 1", False),
        (f"for i in 1 2; do {ASK} && break; sleep 1; done; {ASK}", False),
        (f"for i in 1 2; do sleep 1; {ASK} && break; done", False),
        (f"for i in 1 2; do {ASK} && break; [ $i = 2 ] && exit 1; sleep 1; done", False),
        (f"for db in a b; do until {ASK}; do sleep 1; done; done", False),
        (f"until {ASK}; do sleep 1; done", False),
        (f"while true; do {ASK} && break; sleep 1; done", False),
        ("while [ $r -lt 3 ]; do r=$(kubectl get pods | wc -l); sleep 1; done", False),
        (
            "while [ $(kubectl get pods | wc -l) -lt 3 ]; do sleep 1; [ -e /x ] && break; done",
            False,
        ),
    ],
)
def test_a_wait_that_gives_up_succeeds_or_fails(script: str, *, fails_open: bool) -> None:
    words = ["sh", "-c", script]

    assert commands.is_wait(words)
    assert asking.fails_open(words) is fails_open
