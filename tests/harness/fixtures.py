"""Fixtures for every test of the repository: one Kafka and one PostgreSQL per run, everything else per test.

Nothing starts before a test asks for it. Tests on one broker are told apart by the prefix of their topics.
"""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder
from didflow_chassis.migrate import upgrade
from didflow_chassis.service import Service
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS
from harness.broker import Broker, KafkaUnavailableError
from harness.postgres import Prepare, TemplateDatabases
from harness.processes import Processes
from harness.topics import create_topics, delete_topics

DatabaseFor = Callable[..., Awaitable[str]]
"""`await database_for(service, prepare=None)` gives the DSN of a database of this test's own."""

OnPostgres = Callable[..., Awaitable[ServiceOnPostgres]]
"""`await on_postgres(SERVICE, now=..., caller=...)` opens a service on a database of this test's own.

`prepare` makes the tables of a service that has no migrations. `opened_as` is a subclass with more methods.
The other options are those of `ServiceOnPostgres.open`.
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka_broker() -> AsyncIterator[Broker]:
    """The run's real Kafka, which fault tests may stop, kill and start again (and must leave running)."""
    from harness.kafka import real_kafka  # the Docker client is slow to import

    try:
        async with real_kafka() as broker:
            yield broker
    except KafkaUnavailableError as error:
        reason = f"no real Kafka: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka(kafka_broker: Broker) -> str:
    """Bootstrap address of the run's real Kafka."""
    return kafka_broker.bootstrap


@pytest_asyncio.fixture
async def topics(kafka: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """All topics of the contract under a prefix of this test's own (`DIDFLOW_TOPIC_PREFIX`), which is given.

    They have 12 partitions, or as many as `parametrize("topics", [n], indirect=True)` says.
    """
    prefix = f"t{secrets.token_hex(4)}."
    names = [prefix + name for name in (*TOPICS, *DEAD_LETTER_TOPICS.values())]
    await create_topics(kafka, names, partitions=getattr(request, "param", 12))
    yield prefix
    await delete_topics(kafka, names)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """The run's real PostgreSQL."""
    with temporary_folder(in_memory=True) as folder:
        async with await EmbeddedPostgres.start(folder / "postgres") as server:
            yield server


@pytest.fixture(scope="session")
def template_databases(postgres: EmbeddedPostgres) -> TemplateDatabases:
    """What the run's databases are copied from."""
    return TemplateDatabases(admin_dsn=postgres.dsn)


@pytest_asyncio.fixture
async def database_for(template_databases: TemplateDatabases) -> AsyncIterator[DatabaseFor]:
    """Makes databases of services for one test; see `DatabaseFor`. They are dropped after it."""
    made: list[str] = []

    async def make(service: str, prepare: Prepare | None = None) -> str:
        made.append(await template_databases.copy(service, prepare))
        return made[-1]

    yield make
    for dsn in made:
        await template_databases.drop(dsn)


@pytest_asyncio.fixture
async def on_postgres(database_for: DatabaseFor) -> AsyncIterator[OnPostgres]:
    """Opens services on databases of this test's own; see `OnPostgres`. They are closed after the test."""
    async with AsyncExitStack() as exits:

        async def open_service(
            service: Service,
            *,
            prepare: Prepare | None = None,
            opened_as: type[ServiceOnPostgres] = ServiceOnPostgres,
            **options: Any,
        ) -> ServiceOnPostgres:
            dsn = await database_for(service.name, prepare or _migrated(service))
            return await exits.enter_async_context(opened_as.open(service, dsn, migrate=False, **options))

        yield open_service


_MIGRATED: dict[str, Prepare] = {}


def _migrated(service: Service) -> Prepare:
    """Return the function that migrates a service's database: one for each name, since templates are made once."""

    async def prepare(dsn: str) -> None:
        await upgrade(dsn, service)

    return _MIGRATED.setdefault(service.name, prepare)


@pytest_asyncio.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """Starts processes for one test and kills what is left of them after it."""
    launcher = Processes(folder=tmp_path)
    yield launcher
    await launcher.end()
