"""Inventory as it runs: its API, its stage and its own database on a real PostgreSQL; only the broker is left out."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest_asyncio

from didflow_chassis.database import Database
from didflow_chassis.decision import Caller
from didflow_chassis.http import Running, create_application
from didflow_chassis.migrate import upgrade
from didflow_chassis.stage.messages import Record
from didflow_chassis.stage.stage import Stage
from didflow_chassis.stage.watching import Watching
from didflow_chassis.telemetry.metrics import Metrics
from didflow_chassis.telemetry.tracing import start_tracing
from didflow_contracts.envelope import Event, encode
from didflow_inventory.service import service
from didflow_inventory.settings import InventorySettings

SERVICE = service(InventorySettings.placeholder())


async def migrated(dsn: str) -> None:
    """Make a database ready for inventory."""
    await upgrade(dsn, SERVICE)


class TokensThatSayIt:
    """Takes `role:account` for a token."""

    async def caller(self, token: str) -> Caller:
        """Read who it is."""
        role, _, account = token.partition(":")
        return Caller(subject=f"{role}@{account}", account=account, role=role)


@dataclass
class Inventory:
    """A running inventory. `call` asks its API, `hear` gives it events in one batch, `said` reads its outbox."""

    database: Database
    stage: Stage
    client: httpx.AsyncClient
    offset: int = field(default=0)

    async def call(
        self, method: str, path: str, who: str = "reseller:master/acme", key: str | None = None, **more: Any
    ) -> httpx.Response:
        """Make one request."""
        headers = {"Authorization": f"Bearer {who}"} | ({"Idempotency-Key": key} if key else {})
        return await self.client.request(method, path, headers=headers, **more)

    async def get(self, path: str, who: str = "reseller:master/acme", **params: Any) -> Any:
        """Read something that is there."""
        response = await self.call("GET", path, who, params=params)
        assert response.status_code == 200, response.text
        return response.json()

    async def hear(self, *events: Event[Any]) -> None:
        """Take events as one batch from Kafka."""
        records = []
        for event in events:
            self.offset += 1
            key = event.subject.encode()
            records.append(Record(event.data.topic, 0, self.offset, key, encode(event), ()))
        await self.stage.records(records)

    async def hear_again(self, topic: str) -> None:
        """Take back from Kafka what inventory itself said on a topic."""
        rows = await self.database.fetch("SELECT key, value FROM outbox WHERE topic = $1 ORDER BY id", topic)
        for row in rows:
            self.offset += 1
            await self.stage.records([Record(topic, 1, self.offset, row["key"], row["value"], ())])

    async def said(self, topic: str | None = None) -> list[Any]:
        """Read what was said, in order: envelopes as JSON."""
        rows = await self.database.fetch("SELECT topic, value FROM outbox ORDER BY id")
        return [json.loads(row["value"]) for row in rows if topic in (None, row["topic"])]


@pytest_asyncio.fixture
async def inventory(database_for: Any) -> AsyncIterator[Inventory]:
    """A running inventory of this test's own, with the accounts that most stories need."""
    database = Database(await database_for("inventory", migrated), application="test")
    await database.start()
    tracing = start_tracing(service="inventory", process="test", endpoint=None)
    stage = Stage(SERVICE, database, Watching(Metrics(), tracing))
    running = Running(
        service=SERVICE,
        database=database,
        stage=stage,
        authenticator=TokensThatSayIt(),
    )
    transport = httpx.ASGITransport(create_application(SERVICE, running, rate=None))
    async with httpx.AsyncClient(transport=transport, base_url="http://inventory") as client:
        made = Inventory(database, stage, client)
        for path in ("master", "master/acme", "master/acme/shop", "other"):
            body = {"path": path, "name": path}
            assert (await made.call("POST", "/v1/accounts", "operator:root", json=body)).status_code == 201
        yield made
    await database.stop()
