"""Billing on a real PostgreSQL: its own stage, clock and HTTP API, with the time that the test says."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from typing import Any

import httpx
import pytest

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_billing.store import TERM, ledger
from didflow_chassis.clock import Clock
from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.http import Running, create_application
from didflow_chassis.migrate import upgrade
from didflow_chassis.stage.messages import Record
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.watching import Watching
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueWatch
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode

SERVICE = service(BillingSettings.placeholder())

HEADERS = (("content-type", CONTENT_TYPE.encode()),)


class Tokens:
    """Takes `subject account role` for a token, so that a test can be anyone."""

    async def caller(self, token: str) -> Caller:
        """Give whose token it is."""
        subject, account, role = token.split(":")
        return Caller(subject=subject, account=account, role=role)


@dataclass
class Billing:
    """One billing service: give it records and time, ask it over HTTP, look into its tables."""

    database: Database
    stage: Stage
    clock: Clock
    offsets: Any = field(default_factory=count)

    def record(self, event: Event[Any]) -> Record:
        """Make the record as its producer would have published it."""
        return Record(event.data.topic, 0, next(self.offsets), event.subject.encode(), encode(event), HEADERS)

    async def take(self, *events: Event[Any]) -> None:
        """Let one batch of events come from Kafka."""
        await self.stage.records([self.record(event) for event in events])

    async def at(self, instant: datetime) -> None:
        """Make it that time; the service's clock goes on from there."""
        await self.database.fetch("UPDATE clock SET shift = $1 - clock_timestamp()", instant)

    async def strike(self) -> None:
        """Let the clock strike until nothing more is due."""
        while await self.clock.strike():
            pass

    async def term(self) -> Term:
        """The one term, as stored."""
        columns = ", ".join(TERM.columns)
        return TERM.from_row((await self.database.fetch(f"SELECT {columns} FROM terms"))[0]).state

    async def lines(self) -> list[LedgerEntry]:
        """The ledger in the order of its lines."""
        names = [column.name for column in ledger.c]
        rows = await self.database.fetch(f"SELECT {', '.join(names)} FROM ledger ORDER BY did_id, line")
        return [LedgerEntry(**{name: row[name] for name in names}) for row in rows]

    async def topics(self) -> list[str]:
        """The topics of all that waits in the outbox, in order."""
        return [row["topic"] for row in await self.database.fetch("SELECT topic FROM outbox ORDER BY id")]

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        rows = await self.database.fetch(f"SELECT count(*) FROM {table}")
        number: int = rows[0][0]
        return number

    def caller(
        self, account: str = "master/acme", role: str = "reseller", subject: str = "ann"
    ) -> httpx.AsyncClient:
        """Give a client of the HTTP API for someone."""
        running = Running(service=SERVICE, database=self.database, stage=self.stage, authenticator=Tokens())
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(app=create_application(SERVICE, running, rate=None)),
            base_url="http://billing",
            headers={"Authorization": f"Bearer {subject}:{account}:{role}"},
        )


async def prepare(dsn: str) -> None:
    """Make billing's tables."""
    await upgrade(dsn, SERVICE)


@pytest.fixture
async def billing(database_for: Any, say: Any) -> AsyncIterator[Billing]:
    """A billing service with a database of its own, at the hour of the purchase."""
    database = Database(await database_for("billing", prepare), application="test")
    await database.start()
    metrics = Metrics()
    watching = Watching(metrics, start_tracing(service="billing", process="test", endpoint=None))
    stage = Stage(SERVICE, database, watching)
    clock = Clock(SERVICE, stage, database, QueueWatch(metrics, database), interval_s=1, days=30)
    made = Billing(database, stage, clock)
    await made.at(say.zero)
    yield made
    await asyncio.wait_for(database.stop(), 10)


@pytest.fixture
async def active(billing: Billing, say: Any) -> Billing:
    """Billing with one active DID of `master/acme`."""
    await billing.take(say.purchased(), say.holding(), say.registration("not_required"))
    return billing


@pytest.fixture
async def acme(active: Billing) -> AsyncIterator[httpx.AsyncClient]:
    """A reseller of the account that holds the DID."""
    async with active.caller() as client:
        yield client
