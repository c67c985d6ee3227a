"""Provisioning on a real database: the stage as it runs, the clock struck by hand, the API called in process."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from typing import Any

import httpx
import pytest
from harness.fixtures import DatabaseFor

from didflow_chassis.clock import Clock
from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.http import Runtime, create_application
from didflow_chassis.migrate import upgrade
from didflow_chassis.stage import Stage
from didflow_chassis.stage.messages import Record
from didflow_chassis.stage.watching import Watching
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.queues import QueueWatch
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import Event, decode, encode
from didflow_contracts.events import EVENT_TYPES, CarrierCommandIssued
from didflow_provisioning.service import service
from didflow_provisioning.settings import ProvisioningSettings

SERVICE = service(ProvisioningSettings.placeholder())

_OFFSETS = count()


class Names:
    """Takes `role:account` for a token."""

    async def caller(self, token: str) -> Caller:
        """Say who that is."""
        role, _, account = token.partition(":")
        return Caller(subject="ann", account=account, role=role)


@dataclass
class Live:
    """The service as one process would run it."""

    database: Database
    stage: Stage
    clock: Clock
    app: Any

    async def feed(self, *events: Event[Any]) -> None:
        """Take events as one batch from Kafka."""
        headers = (("content-type", b"application/cloudevents+json"),)
        records = [
            Record(e.data.topic, 0, next(_OFFSETS), e.subject.encode(), encode(e), headers) for e in events
        ]
        await self.stage.records(records)

    async def said(self) -> list[Event[Any]]:
        """All that lies in the outbox, in order."""
        rows = await self.database.fetch("SELECT value FROM outbox ORDER BY id")
        return [decode(row["value"], (), types=EVENT_TYPES) for row in rows]

    async def orders(self) -> list[CarrierCommandIssued]:
        """What was ordered from carriers."""
        return [event.data for event in await self.said() if isinstance(event.data, CarrierCommandIssued)]

    async def count(self, table: str) -> int:
        """How many rows lie in a table."""
        rows = await self.database.fetch(f"SELECT count(*) AS n FROM {table}")
        found: int = rows[0]["n"]
        return found

    async def later(self, span: timedelta) -> None:
        """Move the service's time on and let the clock strike until nothing is due."""
        async with self.database.pool.acquire() as connection:
            await connection.execute("UPDATE clock SET shift = shift + $1", span)
        while await self.clock.strike():
            pass

    def client(self, account: str = "master/acme", role: str = "reseller") -> httpx.AsyncClient:
        """A caller of the API."""
        transport = httpx.ASGITransport(app=self.app)
        headers = {"Authorization": f"Bearer {role}:{account}"}
        return httpx.AsyncClient(transport=transport, base_url="http://api", headers=headers)


async def prepared(dsn: str) -> None:
    """Apply the migrations."""
    await upgrade(dsn, SERVICE)


@pytest.fixture
async def live(database_for: DatabaseFor) -> AsyncIterator[Live]:
    """The service on a database of this test's own."""
    database = Database(await database_for("provisioning", prepared), application="test")
    await database.start()
    metrics = Metrics()
    watching = Watching(metrics, start_tracing(service="provisioning", process="test", endpoint=None))
    stage = Stage(SERVICE, database, watching)
    clock = Clock(SERVICE, stage, database, QueueWatch(metrics, database), interval_s=1, days=30)
    running = Runtime(service=SERVICE, database=database, stage=stage, authenticator=Names())
    yield Live(database, stage, clock, create_application(SERVICE, running, rate=None))
    await database.stop()
