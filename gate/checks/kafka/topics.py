"""What a broker's metadata says of the cluster and of the topics asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gate.core.errors import Absent, CheckFailed

if TYPE_CHECKING:
    from gate.checks.kafka.protocol import Metadata, Topic

_NOT_FOUND = 3
_WORDS = {
    5: "has no leader",
    17: "is no name that a topic can have",
    29: "not allowed to see it",
}


def judge(metadata: Metadata, wanted: tuple[str, ...]) -> None:
    """Raise `CheckFailed` unless there is a broker and each topic *wanted* has all leaders.

    As `Absent` where a topic does not exist.
    """
    if not metadata.brokers:
        msg = "no broker in the metadata"
        raise CheckFailed(msg)
    known = {topic.name: topic for topic in metadata.topics}
    for name in wanted:
        topic = known.get(name)
        if topic is None:
            msg = f"topic {name}: not in the broker's answer"
            raise CheckFailed(msg)
        _judge_topic(topic)


def _judge_topic(topic: Topic) -> None:
    if topic.error == _NOT_FOUND:
        msg = f"topic {topic.name}: not found"
        raise Absent(msg)
    if topic.error:
        why = _WORDS.get(topic.error, f"error {topic.error}")
        msg = f"topic {topic.name}: {why}"
        raise CheckFailed(msg)
    orphans = sorted(part.number for part in topic.partitions if part.leader < 0)
    if orphans or not topic.partitions:
        msg = f"topic {topic.name}: {_without_leader(orphans)}"
        raise CheckFailed(msg)


def _without_leader(numbers: list[int]) -> str:
    if not numbers:
        return "has no partitions"
    if len(numbers) == 1:
        return f"partition {numbers[0]} has no leader"
    shown = ", ".join(str(number) for number in numbers[:5]) + (", …" if numbers[5:] else "")
    return f"partitions {shown} have no leader"
