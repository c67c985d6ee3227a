"""The options on which at-least-once delivery and order depend, read from the built Kafka clients."""

import pytest
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from faststream import AckPolicy

from didflow_chassis import kafka_clients
from didflow_chassis.consumer import Consumer, RebalanceListener
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_contracts.events import DidPurchased
from didflow_contracts.topics import TOPICS


@pytest.fixture
def settings() -> Settings:
    return Settings(kafka="localhost:9092", postgres="postgresql://u:p@h/d", member_id="worker-0")


@pytest.fixture
def subscriber(settings: Settings, tmp_path):
    events = {DidPurchased: None}
    service = Service(name="counting", main=object, kinds=(), events=events, commands={}, migrations=tmp_path)
    return Consumer(service, settings, stage=None)._subscriber


async def test_the_producer_is_idempotent_and_waits_for_all_replicas(settings: Settings) -> None:
    """It has acks=all, idempotence, bounded waits, and requests up to 2 MiB."""
    built = kafka_clients.producer(settings, "test")
    assert built._sender._acks == -1
    assert built._txn_manager is not None
    assert built._max_request_size == 2 * 1024 * 1024
    assert built.client._request_timeout_ms == 10_000
    await built.stop()


def test_the_consumer_starts_at_the_beginning_and_commits_explicitly(subscriber) -> None:
    """It has `earliest`, no auto-commit, the range assignor only, a 10 s session, a 1 s heartbeat and a static id."""
    built = subscriber._connection_args
    assert built["auto_offset_reset"] == "earliest"
    assert built["enable_auto_commit"] is False
    assert tuple(built["partition_assignment_strategy"]) == (RangePartitionAssignor,)
    assert (built["session_timeout_ms"], built["heartbeat_interval_ms"]) == (10_000, 1_000)
    assert built["group_instance_id"] == "worker-0"
    assert isinstance(subscriber._listener, RebalanceListener)


def test_faststream_neither_acknowledges_nor_replies(subscriber) -> None:
    """Acknowledgement is manual, and no record can name a reply topic. The batch timeout is 10 to 20 ms."""
    assert 10 <= subscriber.batch_timeout_ms <= 20
    assert subscriber.ack_policy is AckPolicy.MANUAL
    assert subscriber._no_reply is True


def test_the_inbox_is_kept_for_longer_than_records(settings: Settings) -> None:
    """It is kept for at least three weeks longer than any topic keeps records."""
    longest = max(topic.retention.days for topic in TOPICS.values())
    assert settings.inbox_days >= longest + 21
