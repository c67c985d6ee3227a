"""A service on a real PostgreSQL, with its stage, its timers and its HTTP API. It uses no Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Any, Self

import httpx

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.http import Problem, Runtime, Streams, create_application
from didflow_chassis.jobs.runner import JobRunner
from didflow_chassis.migrate import upgrade
from didflow_chassis.pacing import Pacing
from didflow_chassis.read_pool import ReadingDatabase
from didflow_chassis.service import Service
from didflow_chassis.testing.service_under_test import ServiceUnderTest

STOP_S = 10.0


class NamedTokens:
    """An authenticator that accepts `subject:account:role` as a token.

    A token expires `left_s` after it was accepted. By default that is at once, so that a stream of events ends when it
    has begun.
    """

    def __init__(self) -> None:
        self.left_s = 0.0

    async def caller(self, token: str) -> Caller:
        """Return the caller that the token names. Raises Problem `token_invalid`."""
        if token.count(":") != 2:
            raise Problem("token_invalid", headers={"WWW-Authenticate": "Bearer"})
        subject, account, role = token.split(":")
        return Caller(subject=subject, account=account, role=role)

    def remembered(self, token: str) -> None:
        """Remember nothing."""

    def claimant(self, token: str) -> None:
        """Know nobody."""

    def seconds_left(self, token: str) -> float:  # noqa: ARG002
        """Return `left_s`."""
        return self.left_s


class Unpaced(Pacing):
    """No pauses: a test has no live traffic, and no relay that empties the outbox."""

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        yield


class ServiceOnPostgres(ServiceUnderTest):
    """One service on PostgreSQL. `application` is its HTTP application."""

    def __init__(
        self, service: Service, database: Database, reads: ReadingDatabase, *, caller: Caller
    ) -> None:
        super().__init__(service, database)
        self._caller = caller
        self.reads = reads
        self._exits = AsyncExitStack()
        self.tokens = NamedTokens()
        self.streams = Streams(database.dsn, application="test", most=100)
        self._exits.push_async_callback(self.streams.aclose)
        running = Runtime(
            service=self.service,
            database=database,
            reads=reads,
            stage=self.stage,
            authenticator=self.tokens,
            sources=lambda: self.sources,
            streams=self.streams,
        )
        self.application = create_application(self.service, running, rate=None)

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        service: Service,
        dsn: str,
        *,
        now: datetime | None = None,
        caller: Caller = Caller(subject="ann", account="master", role="operator"),  # noqa: B008 - frozen
        migrate: bool = True,
        reader: str | None = None,
    ) -> AsyncIterator[Self]:
        """Migrate the database and open the service on it, at the time `now`. `caller` is the default caller.

        HTTP reads as the role `reader`; without it, as the role of the DSN.
        """
        if migrate:
            await upgrade(dsn, service)
        database = Database(dsn, application="test", size=20)
        await database.start()
        reads = ReadingDatabase(dsn, application="test", size=20, role=reader)
        await reads.start()
        opened = cls(service, database, reads, caller=caller)
        try:
            if now is not None:
                await opened.set_time(now)
            yield opened
        finally:
            await opened._exits.aclose()
            await asyncio.wait_for(asyncio.gather(database.stop(), reads.stop()), STOP_S)

    def client(
        self, account: str | None = None, role: str | None = None, subject: str | None = None
    ) -> httpx.AsyncClient:
        """Return an HTTP client for a caller. Each part that is not given is that of the default caller.

        The client is closed with the service.
        """
        default = self._caller
        token = f"{subject or default.subject}:{account or default.account}:{role or default.role}"
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(self.application),
            base_url=f"http://{self.service.name}",
            headers={"Authorization": f"Bearer {token}"},
        )
        self._exits.push_async_callback(client.aclose)
        return client

    async def run_jobs(self) -> None:
        """Run all unfinished jobs to their end, as the workers do."""
        while await self.run_job_chunk():
            pass

    async def run_job_chunk(self) -> bool:
        """Run one chunk of the job that waits longest. Return False if there is no unfinished job."""
        runner = JobRunner(self.service, self.stage, self.database, Unpaced(self.database), interval_s=0)
        return await runner.run_chunk()

    async def count(self, table: str, where: str = "true") -> int:
        """Return the number of rows of a table that satisfy a condition."""
        rows = await self.fetch(f"SELECT count(*) FROM {table} WHERE {where}")  # noqa: S608
        number: int = rows[0][0]
        return number

    async def fetch(self, statement: str, *values: Any) -> list[Any]:
        """Run one statement and return its rows."""
        return await self.database.fetch(statement, *values)
