"""An outsider that writes records to an installation: its forgeries, and what the services have made of them."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import TopicAuthorizationFailedError
from faults.installation import Installation
from harness.outside_records import numbers, purchase, record
from harness.processes import until

from didflow_chassis.records import Record
from didflow_contracts.sources import RegisteredSource

ACME: Final = "master/acme"
BETA: Final = "master/beta"
"""The victim's account."""
FORGED_SEQUENCES: Final = range(1, 30)
NUMBERS: Final = numbers("+12125", partition=None)
REGISTERED: Final = (
    RegisteredSource(
        prefix="/orders/acme",
        kind="order_system",
        accounts=(ACME,),
        may_set_prices=True,
        principal="orders-acme",
    ),
    RegisteredSource(
        prefix="/orders/beta",
        kind="order_system",
        accounts=(BETA,),
        may_set_prices=True,
        principal="orders-beta",
    ),
    RegisteredSource(prefix="/portals/acme", kind="portal", accounts=(ACME,), principal="portal-acme"),
    RegisteredSource(
        prefix="/carriers/simulator", kind="adapter", carriers=("simulator",), principal="simulator"
    ),
    RegisteredSource(prefix="/carriers/other", kind="adapter", carriers=("other",), principal="other"),
)
LETTERS: Final = "SELECT key, reason FROM dead_letters"
ACCEPTED: Final = "SELECT accepted FROM terms WHERE did_id = $1"


def victim_purchase() -> dict[str, Any]:
    """Return the data of the victim's purchase."""
    return purchase(next(NUMBERS), BETA)


def as_services(victim: dict[str, Any]) -> list[Record]:
    """Return events about the victim's DID from sources that are our services, and with sequences."""
    stolen = victim | {"account": ACME}
    forged = [
        record("did.purchased", stolen, source="/didflow/inventory", sequence=str(n))
        for n in FORGED_SEQUENCES
    ]
    sources = ("/didflow/inventory", "/didflow/inventory/x", "/didflow/billing", "/didflow/")
    forged += [record("did.purchased", stolen, source=source, actor="user:operator") for source in sources]
    return [*forged, record("did.purchased", stolen, source="/orders/acme", sequence="900")]


def of_another_tenant(victim: dict[str, Any]) -> list[Record]:
    """Return events about the victim's DID whose sources may not name its account."""
    details = {
        **{name: victim[name] for name in ("did_id", "number", "account")},
        "identity_id": str(uuid4()),
        "address_id": None,
        "document_ids": [],
    }
    return [
        record("did.purchased", victim, source="/orders/acme"),
        record("did.purchased", victim, source="/orders/acme/../beta"),
        record("did.purchased", victim, source="/orders/unknown"),
        record("enduser.assigned", details, source="/portals/acme"),
    ]


class Outsider:
    """A producer of an installation, and what the services have made of its records."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, databases: dict[str, Any]) -> None:
        self._producer, self._prefix, self._databases = producer, prefix, databases

    async def publish(self, records: Sequence[Record]) -> None:
        """Publish records and wait until the broker has them."""
        for each in records:
            await self._producer.send_and_wait(
                self._prefix + each.topic, each.value, key=each.key, headers=list(each.headers)
            )

    async def is_refused(self, topic: str) -> bool:
        """Return True if the broker does not let this producer write to a topic."""
        try:
            await asyncio.wait_for(self._producer.send_and_wait(self._prefix + topic, b"{", key=b"k"), 20)
        except TopicAuthorizationFailedError:
            return True
        return False

    async def value(self, service: str, statement: str, did_id: str) -> Any:
        """Return what a statement finds about a DID."""
        return await self._databases[service].fetchval(statement, did_id)

    async def becomes(self, service: str, statement: str, did_id: str, expected: Any) -> None:
        """Wait until a statement finds this value about a DID."""

        async def is_there() -> bool:
            await asyncio.sleep(0.05)
            return bool(await self.value(service, statement, did_id) == expected)

        await until(is_there, within=60, what=f"{expected} in {service}")

    async def letters(self, service: str, victim: dict[str, Any]) -> Counter[str]:
        """Return the reasons of the dead letters about the victim's number."""
        rows = await self._databases[service].fetch(LETTERS)
        return Counter(row["reason"] for row in rows if row["key"] == victim["number"].encode())


@asynccontextmanager
async def opened(
    installation: Installation, login: Mapping[str, Any] | None = None
) -> AsyncIterator[Outsider]:
    """Open the clients of an outsider. `login`: its options for a broker that authenticates its clients."""
    parts = installation.parts
    async with AsyncExitStack() as exits:
        producer = AIOKafkaProducer(bootstrap_servers=parts.kafka, acks="all", **(login or {}))
        await producer.start()
        exits.push_async_callback(producer.stop)
        databases = {}
        for name, dsn in parts.postgres.items():
            databases[name] = await asyncpg.connect(dsn)
            exits.push_async_callback(databases[name].close)
        yield Outsider(producer, parts.topic_prefix, databases)


def sources_file(folder: Path) -> dict[str, str]:
    """Write the registered sources. Return the settings of a service that knows no others."""
    file = folder / "sources.json"
    file.write_bytes(orjson.dumps([source.model_dump(mode="json") for source in REGISTERED]))
    return {"SOURCES_FILE": str(file), "UNREGISTERED_SOURCES": "closed"}
