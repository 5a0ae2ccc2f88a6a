"""What is kept of a wait in which one dependency flaps."""

from __future__ import annotations

from gate.core.history import MOST, History
from gate.core.model import Transition, TransitionKind


def filled(*names: str) -> History:
    history = History()
    for number, name in enumerate(names):
        history.add(Transition(at=float(number), kind=TransitionKind.WAITING, name=name))
    return history


def test_one_that_flaps_drives_out_its_own_oldest_and_no_other_s() -> None:
    history = filled("db", *["web"] * (3 * MOST), "cache", "")
    kept = list(history)

    assert len(kept) == MOST
    assert [each.name for each in kept if each.name != "web"] == ["db", "cache", ""]
    assert [each.at for each in kept] == sorted(each.at for each in kept)
    assert kept[-3].at == 3 * MOST
    assert history.left_out == {"web": 2 * MOST + 3}


def test_those_that_flap_alike_share_the_room() -> None:
    kept = list(filled(*["a", "b", "c"] * MOST))

    counts = sorted(sum(each.name == name for each in kept) for name in "abc")
    assert counts == [MOST // 3, (MOST + 1) // 3, (MOST + 2) // 3]
    assert kept[0].at >= 2 * MOST
    assert [each.at for each in kept] == sorted(each.at for each in kept)


def test_what_flapped_long_ago_keeps_as_much_as_what_flaps_now() -> None:
    kept = [each.name for each in filled(*["a"] * (2 * MOST), *["b"] * MOST)]

    assert (kept.count("a"), kept.count("b")) == (MOST // 2, MOST // 2)
