"""What a service needs from outside before it can run: its database, migrated, and its topics on Kafka.

It only looks: nothing is created, written or joined.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from didflow_chassis import migrate
from didflow_chassis.brokers import connection
from didflow_chassis.database import DRIVER_ERRORS, Outage
from didflow_chassis.service import Service
from didflow_chassis.settings import Settings
from didflow_contracts.topics import DEAD_LETTER_TOPICS, topics_written_by

PATIENCE_MS = 5_000
OLDEST_POSTGRES = 17
"""The first that ends a transaction whose client was stopped within a statement (`transaction_timeout`)."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `what` it is, whether it is as needed, and if not what is missing."""

    ok: bool
    what: str
    detail: str = ""


async def check(service: Service, settings: Settings) -> tuple[Finding, ...]:
    """Look at everything and say what was found; nothing found missing means the service can start."""
    return await check_database(service, settings) + await check_kafka(service, settings)


async def check_database(service: Service, settings: Settings) -> tuple[Finding, ...]:
    """Say whether the database answers, is new enough and has the tables that this code needs."""
    try:
        version = await _postgres_version(settings.dsn)
        revisions = await migrate.check(settings.dsn, service)
    except Outage as outage:
        return (Finding(False, "database", str(outage)),)
    if version < OLDEST_POSTGRES:
        return (Finding(False, "database", f"PostgreSQL {version}: {OLDEST_POSTGRES} or later is needed"),)
    if not revisions.ready:
        lacks = ", ".join(revisions.missing)
        return (
            Finding(False, "database", f"not migrated, lacks {lacks}: run `didflow-{service.name} migrate`"),
        )
    return (Finding(True, "database", "ahead of this release" if revisions.ahead else "migrated"),)


async def check_kafka(service: Service, settings: Settings) -> tuple[Finding, ...]:
    """Say whether Kafka answers and has the service's topics, all with the same number of partitions."""
    try:
        partitions = await _partitions(settings)
    except (KafkaError, OSError, TimeoutError) as error:
        return (Finding(False, "kafka", f"cannot be reached: {type(error).__name__}"),)
    names = [f"{settings.topic_prefix}{topic}" for topic in topics_of(service)]
    missing = [Finding(False, f"topic {name}", "is missing") for name in names if name not in partitions]
    if missing:
        return (Finding(True, "kafka", "answers"), *missing)
    return (_alike({name: partitions[name] for name in names}),)


def topics_of(service: Service) -> tuple[str, ...]:
    """List the topics that a service reads or writes, each once, without the installation's prefix."""
    heard = [model.topic for model in service.events]
    said = [topic.name for topic in topics_written_by(service.name)]
    dead = [DEAD_LETTER_TOPICS[service.name]] if service.name in DEAD_LETTER_TOPICS else []
    return tuple(dict.fromkeys([*heard, *said, *dead]))


async def _postgres_version(dsn: str) -> int:
    try:
        connection = await asyncpg.connect(dsn, timeout=PATIENCE_MS / 1000)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be reached: {type(error).__name__}") from error
    version: int = connection.get_server_version().major
    connection.terminate()
    return version


async def _partitions(settings: Settings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=PATIENCE_MS)
    try:
        await admin.start()
        described = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def _alike(partitions: dict[str, int]) -> Finding:
    """Judge the partition counts: one assignor keeps a key's events together only where all are equal."""
    if len(set(partitions.values())) > 1:
        return Finding(False, "kafka", f"topics differ in partitions: {_counts(partitions.items())}")
    return Finding(True, "kafka", f"{len(partitions)} topics")


def _counts(partitions: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(partitions))
