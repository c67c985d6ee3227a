"""F31: the broker authenticates its clients. A service uses another's name, or topics that it may not use.

The rules are made from the topics of the contract. Everything else is refused.
"""

import asyncio
import os
import time
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from confluent_kafka import Consumer, KafkaError
from faults.guarded_broker import guarded_broker
from faults.installation import PREPARE, Installation, InstallOn, ready
from faults.invariants import CheckInvariants
from faults.recording_client import OpenClient
from harness.access import ADMIN, Guard, allow, set_quotas
from harness.fixtures import DatabaseFor
from harness.processes import until
from harness.topics import create_topics

from didflow_contracts.access import Quota, all_rules, quotas_of
from didflow_contracts.sources import RegisteredSource
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, TOPICS, topics_written_by

ORDERS = RegisteredSource(
    prefix="/orders/acme", kind="order_system", accounts=("master/acme",), principal="orders-acme"
)
ADAPTER = RegisteredSource(
    prefix="/carriers/blue", kind="adapter", carriers=("blue",), principal="adapter-blue"
)
SOURCES = (ORDERS, ADAPTER)
USERS = (ADMIN, *SERVICES, "orders-acme", "adapter-blue")
GUARD = Guard(users={name: f"secret-of-{name}" for name in USERS})
ALL_TOPICS = (*TOPICS, *DEAD_LETTER_TOPICS.values())


@pytest.fixture
async def kafka() -> AsyncIterator[str]:
    """Run a broker for this test."""
    async with guarded_broker(GUARD) as bootstrap:
        yield bootstrap


@pytest.fixture
async def topics(kafka: str) -> str:
    """Create all topics, and the rules of each service for them."""
    await create_topics(kafka, ALL_TOPICS, **GUARD.client())
    await allow(kafka, GUARD, all_rules(SOURCES))
    return ""


@pytest.fixture
async def installation(install_on: InstallOn, database_for: DatabaseFor) -> Installation:
    """Return an installation of inventory and billing."""
    return install_on({name: await database_for(name, PREPARE[name]) for name in ("inventory", "billing")})


async def refuses_writing(kafka: str, user: str, topic: str) -> bool:
    """Return True if the broker refuses a write. Each topic has its own client, so that its error is its own."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", **GUARD.client(user)) as producer:
        try:
            await producer.send_and_wait(topic, b"{", key=b"k")
        except TopicAuthorizationFailedError:
            return True
    return False


def refuses_reading(kafka: str, user: str, topic: str) -> bool:
    """Return True if the broker refuses a read."""
    settings = {
        "bootstrap.servers": kafka,
        "group.id": user,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
    consumer = Consumer({**settings, **GUARD.librdkafka(user)})
    try:
        consumer.subscribe([topic])
        answer = consumer.poll(20)
        assert answer is not None, f"the broker did not answer {user} about {topic}"
        error = answer.error()
        return error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    finally:
        consumer.close()


async def test_a_service_can_only_use_its_own_topics(kafka: str, topics: str) -> None:
    """F31: the broker refuses all writes that the contract does not allow, and a service's reads of dead letters."""
    for name in SERVICES:
        own = {topic.name for topic in topics_written_by(name)} | {DEAD_LETTER_TOPICS[name]}
        assert {topic for topic in ALL_TOPICS if await refuses_writing(kafka, name, topic)} == set(
            ALL_TOPICS
        ) - own
    for topic in DEAD_LETTER_TOPICS.values():
        assert await asyncio.to_thread(refuses_reading, kafka, "provisioning", topic)
    assert not await asyncio.to_thread(refuses_reading, kafka, "provisioning", "did.purchased")


async def test_an_outsider_writes_only_the_topics_of_outsiders_and_only_at_its_own_pace(
    kafka: str, topics: str
) -> None:
    """F31: it cannot write what inventory says of a purchase. Above its quota the broker delays it, and nobody else."""
    for user, own, foreign in (
        ("orders-acme", "did.purchased", "inventory.did.purchased"),
        ("adapter-blue", "provisioning.results", "did.purchased"),
    ):
        assert not await refuses_writing(kafka, user, own)
        assert await refuses_writing(kafka, user, foreign)
    assert not await asyncio.to_thread(refuses_reading, kafka, "adapter-blue", "provisioning.commands")
    assert await asyncio.to_thread(refuses_reading, kafka, "adapter-blue", "did.purchased")

    quotas = quotas_of([ORDERS], bytes_per_s=100_000)
    assert quotas == [Quota(principal="orders-acme", producer_byte_rate=100_000)]
    await set_quotas(kafka, GUARD, quotas)
    limited, free = await asyncio.gather(
        seconds_of_a_flood(kafka, "orders-acme"), seconds_of_a_flood(kafka, ADMIN)
    )
    assert limited > 3 * free


async def seconds_of_a_flood(kafka: str, user: str) -> float:
    """Return how long it takes a user to write 1.5 MB: half as much again as its quota of ten seconds."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", **GUARD.client(user)) as producer:
        began = time.monotonic()
        for _ in range(15):
            await producer.send_and_wait("did.purchased", b"x" * 100_000, key=b"k")
        return time.monotonic() - began


async def test_services_run_with_their_own_rules_and_not_with_those_of_another(
    topics: str, installation: Installation, open_client: OpenClient, check_invariants: CheckInvariants
) -> None:
    """F31: billing with provisioning's name ends with the reason. With its own name all is processed; I1 to I8 hold."""
    client = await open_client(installation)
    inventory = installation.worker("inventory", **GUARD.settings("inventory"))
    misconfigured = installation.worker("billing", **GUARD.settings("provisioning"))
    await client.purchase(20)
    await until(
        lambda: misconfigured.process.exit_code is not None, within=30, what="end of the misconfigured worker"
    )
    assert misconfigured.process.exit_code == os.EX_UNAVAILABLE
    assert "TopicAuthorizationFailedError" in misconfigured.process.log_tail()
    await ready(inventory, installation.worker("billing", **GUARD.settings("billing")))
    await check_invariants(installation, client)
