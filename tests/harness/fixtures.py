"""Fixtures of all tests: one Kafka and one PostgreSQL for a test run, and everything else for each test.

A server starts when the first test needs it. The tests share the broker; each has its own prefix of topic names.
"""

import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from didflow.embedded.postgres import EmbeddedPostgres
from didflow.embedded.temporary_folder import temporary_folder
from didflow_chassis.service import Service
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.topics import DEAD_LETTER_TOPICS, TOPICS
from harness.broker import Broker, KafkaUnavailableError
from harness.migrations import migration_of
from harness.postgres import Prepare, TemplateDatabases, reader_for
from harness.processes import Processes
from harness.topics import create_topics, delete_topics

DatabaseFor = Callable[..., Awaitable[str]]
"""`await database_for(service, prepare=None)` returns the DSN of a new database for this test."""

OnPostgres = Callable[..., Awaitable[ServiceOnPostgres]]
"""`await on_postgres(SERVICE, now=..., caller=...)` opens a service on a new database for this test.

`prepare` makes the tables of a service that has no migrations. `opened_as` is a subclass with more methods.
The other options are those of `ServiceOnPostgres.open`.
"""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka_broker() -> AsyncIterator[Broker]:
    """The Kafka of the test run. A fault test may stop, kill and start it, and must leave it running."""
    from harness.kafka import real_kafka  # the import of the Docker client is slow

    try:
        async with real_kafka() as broker:
            yield broker
    except KafkaUnavailableError as error:
        reason = f"No real Kafka can run here: {error}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def kafka(kafka_broker: Broker) -> str:
    """The bootstrap address of the Kafka of the test run."""
    return kafka_broker.bootstrap


@asynccontextmanager
async def new_topics(kafka: str, *, partitions: int = 12) -> AsyncIterator[str]:
    """Create all topics of the contracts under a new prefix for the duration of the block, and return the prefix."""
    prefix = f"t{secrets.token_hex(4)}."
    names = [prefix + name for name in (*TOPICS, *DEAD_LETTER_TOPICS.values())]
    await create_topics(kafka, names, partitions=partitions)
    yield prefix
    await delete_topics(kafka, names)


@pytest_asyncio.fixture
async def topics(kafka: str, request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """Create all topics of the contracts under a prefix for this test (`DIDFLOW_TOPIC_PREFIX`), and return the prefix.

    A topic has 12 partitions. `parametrize("topics", [n], indirect=True)` sets another number.
    """
    async with new_topics(kafka, partitions=getattr(request, "param", 12)) as prefix:
        yield prefix


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """The PostgreSQL of the test run."""
    with temporary_folder(in_memory=True) as folder:
        async with await EmbeddedPostgres.start(folder / "postgres") as server:
            yield server


@pytest.fixture(scope="session")
def template_databases(postgres: EmbeddedPostgres) -> TemplateDatabases:
    """The templates of the databases of the test run."""
    return TemplateDatabases(admin_dsn=postgres.dsn)


@pytest_asyncio.fixture
async def database_for(template_databases: TemplateDatabases) -> AsyncIterator[DatabaseFor]:
    """Creates databases of services for one test; see `DatabaseFor`. They are dropped after the test."""
    made: list[str] = []

    async def make(service: str, prepare: Prepare | None = None) -> str:
        made.append(await template_databases.copy(service, prepare))
        return made[-1]

    yield make
    for dsn in made:
        await template_databases.drop(dsn)


@pytest_asyncio.fixture
async def on_postgres(database_for: DatabaseFor) -> AsyncIterator[OnPostgres]:
    """Opens services on new databases for this test; see `OnPostgres`. They are closed after the test."""
    async with AsyncExitStack() as exits:

        async def open_service(
            service: Service,
            *,
            prepare: Prepare | None = None,
            opened_as: type[ServiceOnPostgres] = ServiceOnPostgres,
            **options: Any,
        ) -> ServiceOnPostgres:
            dsn = await database_for(service.name, prepare or migration_of(service))
            opening = opened_as.open(service, dsn, migrate=False, reader=reader_for(dsn), **options)
            return await exits.enter_async_context(opening)

        yield open_service


@pytest_asyncio.fixture
async def processes(tmp_path: Path) -> AsyncIterator[Processes]:
    """Starts processes for one test. Those that still run after the test are killed."""
    launcher = Processes(folder=tmp_path)
    yield launcher
    await launcher.end()
