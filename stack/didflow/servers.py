"""The Kafka and the PostgreSQL that a stack runs on: the embedded ones, or those that the options name."""

from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from didflow.embedded.databases import ServiceDatabase, create_service_databases
from didflow.embedded.kafka import EmbeddedKafka
from didflow.embedded.postgres import EmbeddedPostgres
from didflow.errors import Missing
from didflow.services import SERVICES
from didflow.state import ADMIN
from didflow.topics import create_topics, topic_names
from didflow_chassis.grants import quoted
from didflow_chassis.settings import Settings, load


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """The servers that were asked for. None means embedded.

    For an embedded database, `durable=False` is faster but not safe against power failure, and `fresh` empties it.
    """

    kafka: str | None = None
    postgres: str | None = None
    durable: bool = True
    fresh: bool = False


@dataclass(frozen=True, kw_only=True)
class Servers:
    """The servers of a stack. `postgres` has the DSN of each service's database and of the `admin`.

    `owners` has the DSN of the role that migrates each service's database.
    """

    kafka: str
    postgres: Mapping[str, str]
    owners: Mapping[str, str] = field(default_factory=dict, repr=False)
    topic_prefix: str
    embedded_kafka: bool
    embedded_postgres: bool


@asynccontextmanager
async def opened(wanted: Wanted, folder: Path) -> AsyncIterator[Servers]:
    """Start or prepare both servers for the duration of the block. Raises Missing and the embedded servers' errors."""
    async with AsyncExitStack() as stack:
        admin = wanted.postgres or await _embedded_postgres(stack, wanted, folder)
        databases = await _databases(admin)
        prefix = ""
        if wanted.kafka:
            settings = load(Settings, kafka=wanted.kafka, postgres=admin, production=False)
            prefix = settings.topic_prefix
            await create_topics(settings)
        kafka = wanted.kafka or (await stack.enter_async_context(await _embedded_kafka())).bootstrap
        yield Servers(
            kafka=kafka,
            postgres={ADMIN: admin, **{name: made.dsn for name, made in databases.items()}},
            owners={name: made.owner_dsn for name, made in databases.items()},
            topic_prefix=prefix,
            embedded_kafka=wanted.kafka is None,
            embedded_postgres=wanted.postgres is None,
        )


async def _embedded_postgres(stack: AsyncExitStack, wanted: Wanted, folder: Path) -> str:
    start = EmbeddedPostgres.start(folder / "postgres", durable=wanted.durable)
    server = await stack.enter_async_context(await start)
    if wanted.fresh:
        await drop_service_databases(server.dsn)
    return server.dsn


async def drop_service_databases(admin: str) -> None:
    """Drop the databases of all services on an embedded server."""
    connection = await asyncpg.connect(admin)
    try:
        for name in SERVICES:
            await connection.execute(f"DROP DATABASE IF EXISTS {quoted(f'didflow_{name}')} WITH (FORCE)")
    finally:
        await connection.close()


async def _embedded_kafka() -> EmbeddedKafka:
    return await EmbeddedKafka.start(topic_names())


async def _databases(admin: str) -> dict[str, ServiceDatabase]:
    try:
        return await create_service_databases(admin, SERVICES)
    except asyncpg.InsufficientPrivilegeError as error:
        raise Missing(f"The PostgreSQL user may not create databases and roles: {error}") from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise Missing(f"PostgreSQL does not answer: {type(error).__name__}: {error}") from None
