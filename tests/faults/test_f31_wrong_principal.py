"""F31: on a broker that knows who asks, a service comes under another's name, or goes where it has no business.

The rules are made from the contract's table of topics; what it does not name is refused.
"""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from confluent_kafka import Consumer, KafkaError
from faults.installation import PREPARE, Installation, InstallOn, ready
from faults.invariants import Judge
from faults.oracle import Ask
from harness.access import ADMIN, Guard, allow, rules_of
from harness.broker import KafkaUnavailableError
from harness.fixtures import DatabaseFor
from harness.kafka_java import JavaBroker
from harness.processes import until
from harness.topics import create_topics

from didflow.embedded.temporary_folder import temporary_folder
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, TOPICS, topics_written_by

GUARD = Guard(users={name: f"secret-of-{name}" for name in (ADMIN, *SERVICES)})
EVERY = (*TOPICS, *DEAD_LETTER_TOPICS.values())


@pytest.fixture
async def kafka(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A broker of this test's own, to which the test itself comes as its administrator."""
    for name, value in GUARD.settings().items():
        monkeypatch.setenv(f"DIDFLOW_{name}", value)
    with temporary_folder(in_memory=True) as folder:
        try:
            broker = await JavaBroker.create(folder, GUARD)
        except KafkaUnavailableError as error:
            pytest.skip(f"no Kafka that asks for names: {error}")
        yield broker.bootstrap
        await broker.remove()


@pytest.fixture
async def topics(kafka: str) -> str:
    """All topics, and each service's rules for them."""
    await create_topics(kafka, EVERY, **GUARD.client())
    await allow(kafka, GUARD, [rule for name in SERVICES for rule in rules_of(name, "")])
    return ""


@pytest.fixture
async def at(install_on: InstallOn, database_for: DatabaseFor) -> Installation:
    """Inventory and billing."""
    return install_on({name: await database_for(name, PREPARE[name]) for name in ("inventory", "billing")})


async def refuses_writing(kafka: str, user: str, topic: str) -> bool:
    """Try to write; each topic is asked for by a client of its own, as metadata of several fail together."""
    async with AIOKafkaProducer(bootstrap_servers=kafka, acks="all", **GUARD.client(user)) as producer:
        try:
            await producer.send_and_wait(topic, b"{", key=b"k")
        except TopicAuthorizationFailedError:
            return True
    return False


def refuses_reading(kafka: str, user: str, topic: str) -> bool:
    """Try to read; says what the broker answered first, a record, the end of a partition, or no."""
    whose = {
        "bootstrap.servers": kafka,
        "group.id": user,
        "enable.auto.commit": False,
        "enable.partition.eof": True,
    }
    consumer = Consumer({**whose, **GUARD.librdkafka(user)})
    try:
        consumer.subscribe([topic])
        answer = consumer.poll(20)
        assert answer is not None, f"nobody answered {user} about {topic}"
        error = answer.error()
        return error is not None and error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED
    finally:
        consumer.close()


async def test_a_service_is_let_to_its_own_topics_alone(kafka: str, topics: str) -> None:
    """F31: each service is refused every write that the contract doesn't name, and all dead letters to read."""
    for name in SERVICES:
        own = {topic.name for topic in topics_written_by(name)} | {DEAD_LETTER_TOPICS[name]}
        assert {topic for topic in EVERY if await refuses_writing(kafka, name, topic)} == set(EVERY) - own
    for topic in DEAD_LETTER_TOPICS.values():
        assert await asyncio.to_thread(refuses_reading, kafka, "provisioning", topic)
    assert not await asyncio.to_thread(refuses_reading, kafka, "provisioning", "did.purchased")


async def test_services_run_under_these_rules_and_not_under_anothers(
    topics: str, at: Installation, ask: Ask, judge: Judge
) -> None:
    """F31: billing under provisioning's name ends at once and says why; under its own all is done, I1 to I8 hold."""
    oracle = await ask(at)
    inventory = at.worker("inventory", **GUARD.settings("inventory"))
    wrong = at.worker("billing", **GUARD.settings("provisioning"))
    await oracle.purchase(20)
    await until(lambda: wrong.process.exit_code is not None, within=30, what="end of the wrong one")
    assert wrong.process.exit_code == os.EX_UNAVAILABLE
    assert "TopicAuthorizationFailedError" in wrong.process.log_tail()
    await ready(inventory, at.worker("billing", **GUARD.settings("billing")))
    await judge(at, oracle)
