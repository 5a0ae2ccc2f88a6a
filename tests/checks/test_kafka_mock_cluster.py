"""librdkafka's mock cluster: somebody else's idea of Kafka's protocol, beside the fake broker.

It has several brokers, each topic's partitions led by any of them, and answers over real sockets.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from confluent_kafka import KafkaError, Producer

from tests.conftest import run, why_not

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKERS = 3


class Cluster:
    """A running mock cluster; it ends with its producer."""

    def __init__(self) -> None:
        self.producer = Producer(
            # Its own notice of being a mock goes to stderr otherwise.
            {"bootstrap.servers": "unused", "test.mock.num.brokers": BROKERS, "log_level": 0}
        )
        known = self.producer.list_topics(timeout=10).brokers.values()
        self.brokers = [f"{each.host}:{each.port}" for each in known]

    def make(self, topic: str) -> None:
        """Have the cluster make *topic*, as it does for whoever asks for one."""
        found = self.producer.list_topics(topic, timeout=10).topics[topic]
        assert found.error is None
        assert found.partitions


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    running = Cluster()
    yield running
    running.producer.flush(1)


def test_every_broker_of_the_cluster_is_ready_and_knows_the_topic(cluster: Cluster) -> None:
    cluster.make("orders")

    assert len(cluster.brokers) == BROKERS
    for broker in cluster.brokers:
        assert run(why_not(f"kafka://{broker}")) == ""
        assert run(why_not(f"kafka://{broker} topic=orders")) == ""


def test_several_are_asked_as_an_app_names_them(cluster: Cluster) -> None:
    assert run(why_not(f"kafka://127.0.0.1:1,{','.join(cluster.brokers)}")) == ""


def test_what_gate_calls_ready_takes_a_message(cluster: Cluster) -> None:
    failed: list[KafkaError | None] = []
    line = f"kafka://{cluster.brokers[0]} topic=mail"

    assert run(why_not(line)) == "topic mail: not found"  # and gate's asking does not make it
    cluster.make("mail")
    assert run(why_not(line)) == ""
    cluster.producer.produce("mail", b"hello", on_delivery=lambda error, _: failed.append(error))
    cluster.producer.flush(10)

    assert failed == [None]
