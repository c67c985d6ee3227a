"""What `check` finds: whether a service can run with its settings, its database and Kafka.

It builds the parts of `api` and `worker` with their own functions. It creates no topic or table, joins no consumer
group and publishes nothing.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any, Literal

import asyncpg
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from didflow_chassis import migrate
from didflow_chassis.database import DRIVER_ERRORS, Outage
from didflow_chassis.kafka_clients import connection
from didflow_chassis.kafka_internals.versions import UnsupportedVersion
from didflow_chassis.processes import api_application, open_worker
from didflow_chassis.service import Service
from didflow_chassis.settings import PREFIX, Settings, SettingsError
from didflow_contracts.topics import DEAD_LETTER_TOPICS, topics_written_by

TIMEOUT_MS = 5_000
OLDEST_POSTGRES = 17
"""The first version with `transaction_timeout`, which ends a transaction whose client was stopped in a statement."""

_ROLE = """
WITH owners AS (SELECT DISTINCT relowner FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r')
SELECT EXISTS (SELECT FROM owners WHERE pg_has_role(current_user, relowner, 'MEMBER')) AS owns,
    r.rolsuper AS is_superuser, r.rolbypassrls AS bypasses,
    EXISTS (SELECT FROM pg_roles o WHERE o.rolname = $1 AND (o.rolsuper OR o.rolbypassrls
        OR EXISTS (SELECT FROM owners WHERE pg_has_role(o.oid, relowner, 'MEMBER')))) AS reads_past
FROM pg_roles r WHERE r.rolname = current_user
"""
_TOO_MUCH = {
    "owns": "The role of the service owns tables, or is a member of their owner: it can change the ledger and policies",
    "is_superuser": "The role of the service is a superuser",
    "bypasses": "The role of the service may bypass row security",
}

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One result of the check: what was checked, and what was found."""

    level: Level
    what: str
    detail: str = ""


async def check(service: Service, settings: Settings) -> tuple[Diagnostic, ...]:
    """Check everything. Without a problem among the diagnostics, `api` and `worker` can start."""
    outside = (*await check_database(service, settings), *await check_kafka(service, settings))
    if any(diagnostic.level == "problem" for diagnostic in outside):
        return (*check_settings(settings), *outside)
    return (*check_settings(settings), *outside, *await check_processes(service, settings))


def check_settings(settings: Settings) -> tuple[Diagnostic, ...]:
    """Return a problem if the API cannot run with these settings, and what is dangerous in production."""
    warnings = tuple(Diagnostic("warning", "settings", warning) for warning in settings.warnings())
    problems = []
    try:
        _ = settings.oidc
    except SettingsError as error:
        problems = [Diagnostic("problem", "settings", problem) for problem in error.problems]
    return (*warnings, *(problems or [Diagnostic("ok", "settings", "can be loaded")]))


async def check_processes(service: Service, settings: Settings) -> tuple[Diagnostic, ...]:
    """Build the API and the worker, and return what they would fail on."""
    return (
        await _built("api", api_application(service, settings)),
        await _built("worker", open_worker(service, settings)),
    )


async def _built(what: str, opening: Any) -> Diagnostic:
    try:
        async with AsyncExitStack() as exits:
            await exits.enter_async_context(opening)
    except (SettingsError, UnsupportedVersion, Outage, KafkaError, OSError) as error:
        return Diagnostic("problem", what, f"cannot start: {error or type(error).__name__}")
    return Diagnostic("ok", what, "can start")


async def check_database(service: Service, settings: Settings) -> tuple[Diagnostic, ...]:
    """Check whether the database can be reached, is new enough and is migrated."""
    try:
        version = await _postgres_version(settings.dsn)
        revisions = await migrate.check(settings.dsn, service)
    except Outage as outage:
        return (Diagnostic("problem", "database", str(outage)),)
    if version < OLDEST_POSTGRES:
        detail = f"It is PostgreSQL {version}. Version {OLDEST_POSTGRES} or later is required."
        return (Diagnostic("problem", "database", detail),)
    if not revisions.ready:
        missing = ", ".join(revisions.missing)
        detail = f"It is not migrated. Run `didflow-{service.name} migrate` to apply {missing}."
        return (Diagnostic("problem", "database", detail),)
    migrated = Diagnostic("ok", "database", "is ahead of this release" if revisions.ahead else "is migrated")
    return (migrated, *await check_roles(settings), *await check_stored(service, settings))


async def check_roles(settings: Settings) -> tuple[Diagnostic, ...]:
    """Return a warning for each right of the service's role by which it could pass the second lock of the database.

    Raises Outage.
    """
    connection = await _connected(settings.dsn)
    try:
        role = await connection.fetchrow(_ROLE, settings.postgres_reader)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be read: {type(error).__name__}") from error
    finally:
        connection.terminate()
    found = [text for name, text in _TOO_MUCH.items() if role[name]]
    if settings.postgres_reader is None:
        found.append(f"{PREFIX}POSTGRES_READER is not set: no policy limits what HTTP reads")
    elif role["reads_past"]:
        found.append("The role that HTTP reads as is a superuser, may bypass row security, or owns tables")
    return tuple(Diagnostic("warning", "database role", f"{text}.") for text in found)


async def check_stored(service: Service, settings: Settings) -> tuple[Diagnostic, ...]:
    """Return a warning for each check of the service that its database fails. Raises Outage."""
    connection = await _connected(settings.dsn)
    try:
        failed = [each for each in service.checks if not await connection.fetchval(each.statement)]
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be read: {type(error).__name__}") from error
    finally:
        connection.terminate()
    return tuple(Diagnostic("warning", each.what, each.warning) for each in failed)


async def check_kafka(service: Service, settings: Settings) -> tuple[Diagnostic, ...]:
    """Check whether Kafka can be reached and has the service's topics, all with the same number of partitions."""
    try:
        partitions = await _partitions(settings)
    except (KafkaError, OSError, TimeoutError) as error:
        return (Diagnostic("problem", "kafka", f"cannot be reached: {type(error).__name__}"),)
    names = [f"{settings.topic_prefix}{topic}" for topic in topics_of(service)]
    missing = [
        Diagnostic("problem", f"topic {name}", "is missing") for name in names if name not in partitions
    ]
    if missing:
        return (Diagnostic("ok", "kafka", "can be reached"), *missing)
    return (_compared({name: partitions[name] for name in names}),)


def topics_of(service: Service) -> tuple[str, ...]:
    """Return the topics that a service reads or writes, without the prefix of the installation."""
    written = [topic.name for topic in topics_written_by(service.name)]
    dead = [DEAD_LETTER_TOPICS[service.name]] if service.name in DEAD_LETTER_TOPICS else []
    return tuple(dict.fromkeys([*service.topics_read, *written, *dead]))


async def _connected(dsn: str) -> Any:
    try:
        return await asyncpg.connect(dsn, timeout=TIMEOUT_MS / 1000)
    except DRIVER_ERRORS as error:
        raise Outage(f"the database cannot be reached: {type(error).__name__}") from error


async def _postgres_version(dsn: str) -> int:
    connection = await _connected(dsn)
    version: int = connection.get_server_version().major
    connection.terminate()
    return version


async def _partitions(settings: Settings) -> dict[str, int]:
    admin = AIOKafkaAdminClient(**connection(settings), request_timeout_ms=TIMEOUT_MS)
    try:
        await admin.start()
        described = await admin.describe_topics()
    finally:
        await admin.close()
    return {topic["topic"]: len(topic["partitions"]) for topic in described}


def _compared(partitions: dict[str, int]) -> Diagnostic:
    """Compare the partition counts. The events of a key stay with one worker only if all counts are equal."""
    if len(set(partitions.values())) > 1:
        counts = ", ".join(f"{name} {count}" for name, count in sorted(partitions.items()))
        return Diagnostic("problem", "kafka", f"All topics must have the same number of partitions: {counts}")
    return Diagnostic("ok", "kafka", f"has all {len(partitions)} topics")
