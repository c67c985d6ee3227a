"""A client with a memory: it sends purchases and commands and writes each acknowledged one to the ledger.

It repeats a request that is not acknowledged, the same bytes under the same key, until it is. So every promise must
be found once, even if it was sent twice.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from typing import Any, Final
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from faults.installation import ACCOUNT, Installation
from faults.ledger import Kind, Ledger
from harness.fault_journal import JOURNAL

from didflow.errors import CallFailed
from didflow.http_client import Api, Response
from didflow_adapters.simulated_carrier import SCENARIOS
from didflow_chassis.kafka_clients import connection
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.events import DidPurchased
from didflow_contracts.ids import derived_id

SOURCE: Final = "/orders/oracle"
PRICE: Final = {
    "setup": {"amount": "2.50", "currency": "USD"},
    "recurring": {"amount": "1.15", "currency": "USD"},
}
FREE: Final = "+12125"
"""Where no registration is asked for: New York."""
STRICT: Final = "+353212"
"""Where details have to be assigned first: Cork."""
_HEADERS: Final = [("content-type", CONTENT_TYPE.encode())]
_AGAIN_S: Final = 0.2
PATIENCE_S: Final = 180.0
"""No fault lasts so long: what is not acknowledged by then fails the test with the last error."""

PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "set_voice": ("provisioning", "/v1/routing/batch/set-voice"),
    "set_capacity": ("provisioning", "/v1/routing/batch/set-capacity"),
    "set_cycles": ("billing", "/v1/terms/batch/set-cycles"),
    "renew": ("billing", "/v1/terms/batch/renew"),
    "cancel": ("billing", "/v1/terms/batch/cancel"),
    "restore": ("billing", "/v1/terms/batch/restore"),
    "assign": ("inventory", "/v1/dids/batch/assign-end-user"),
}
"""Command -> the service that takes it, and where."""


@dataclass(frozen=True, kw_only=True)
class OraclePurchase:
    """One purchase as it was sent."""

    did_id: str
    number: str
    key: str
    data: DidPurchased
    value: bytes


@dataclass(kw_only=True)
class Oracle:
    """One client of an installation. `apis`: service -> the API that gets its commands."""

    at: Installation
    ledger: Ledger
    producer: AIOKafkaProducer
    chance: random.Random
    apis: dict[str, Api] = field(default_factory=dict)
    bought: list[OraclePurchase] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)
    _numbers: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        """Start the numbers at a random place, so that two oracles of one test do not buy the same."""
        self._numbers = _numbers(self.chance.randrange(1_000_000))

    def make(self, *, prefix: str = FREE, **changed: Any) -> OraclePurchase:
        """Return a new purchase."""
        number = prefix + next(self._numbers)
        did_id, key = derived_id("oracle", number), f"purchase-{number}"
        given = {
            "did_id": did_id,
            "number": number,
            "account": ACCOUNT,
            "number_type": "local",
            "features": ["voice_in"],
            "order_id": f"order-{number}",
            "end_user_type": "business",
            "price": PRICE,
            "billing_period": 1,
        }
        data = DidPurchased.model_validate(given | changed)
        event = Event(id=key, source=SOURCE, time=datetime.now(UTC), data=data)
        return OraclePurchase(did_id=str(did_id), number=number, key=key, data=data, value=encode(event))

    async def purchase(self, times: int = 1, **changed: Any) -> list[OraclePurchase]:
        """Publish purchases. Return them once all are acknowledged and in the ledger."""
        bought = [self.make(**changed) for _ in range(times)]
        await asyncio.gather(*(self.publish(one) for one in bought))
        return bought

    async def publish(self, bought: OraclePurchase) -> None:
        """Publish one purchase and write it to the ledger."""
        await self.send(DidPurchased.topic, bought.value, bought.number)
        self.note(bought)

    def note(self, bought: OraclePurchase) -> None:
        """Write an acknowledged purchase to the ledger."""
        self.ledger.write(
            "purchase",
            did_id=bought.did_id,
            number=bought.number,
            key=bought.key,
            **bought.data.model_dump(mode="json", include={"price", "billing_period"}),
            registration="not_required" if bought.number.startswith(FREE) else "awaiting",
        )
        self.bought.append(bought)

    async def repeat(self, bought: OraclePurchase) -> None:
        """Publish the same event again, as an order system without an acknowledgement does."""
        await self.send(DidPurchased.topic, bought.value, bought.number)
        JOURNAL.once("record repeated")

    async def poison(self, value: bytes = b'{"did_id": ', reason: str = "not_json") -> None:
        """Publish a record that can never be decoded, and write its place to the ledger."""
        number = FREE + next(self._numbers)
        JOURNAL.once("poison")
        place = await self.send(DidPurchased.topic, value, number)
        where = {"topic": DidPurchased.topic, "partition": place.partition, "offset": place.offset}
        self.ledger.write("poison", did_id="", number=number, key=str(uuid4()), reason=reason, **where)

    async def send(self, topic: str, value: bytes, key: str, *, partition: int | None = None) -> Any:
        """Publish a value until it is acknowledged. Return its place."""
        name = self.at.parts.topic_prefix + topic
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self.producer.send_and_wait(
                    name, value, key=key.encode(), headers=_HEADERS, partition=partition
                )
            except KafkaError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_AGAIN_S)

    async def purchase_over_http(self, **changed: Any) -> OraclePurchase:
        """Purchase over HTTP and write the purchase to the ledger when the answer is 201."""
        bought = self.make(**changed)
        body = bought.data.model_dump(mode="json", exclude_unset=True)
        answered = await self.call("inventory", "/v1/purchases", body, key=bought.key)
        if answered.status == 201:
            self.note(bought)
        else:
            self.odd.append(f"purchase of {bought.number} was answered {answered.status} {answered.body}")
        return bought

    async def command(self, kind: Kind, bought: OraclePurchase, **wish: Any) -> str:
        """Send a command for one DID until it is answered. Return its outcome, or the code of the refusal."""
        name, path = PATHS[kind]
        key = str(uuid4())
        answered = await self.call(name, path, {"dids": [bought.did_id], **wish}, key=key)
        if answered.status != 200:
            self.odd.append(f"{kind} {bought.did_id} was answered {answered.status} {answered.body}")
            return answered.code
        result = answered.body["results"][0]
        if result["outcome"] == "refused":
            return str(result["code"])
        self.ledger.write(kind, did_id=bought.did_id, number=bought.number, key=key, **wish)
        return str(result["outcome"])

    async def trunk(self) -> str:
        """Create a voice trunk and return its id."""
        body = {"account": ACCOUNT, "name": f"trunk {uuid4()}", "sip": {"uri": "sip:faults.example.com"}}
        return str((await self.created("provisioning", "/v1/voice-trunks", body))["voice_trunk_id"])

    async def details(self) -> dict[str, str]:
        """Create an end user whose details satisfy the requirement of `STRICT` numbers after a review."""
        company = {"type": "business", "company_name": "Example Bakery Ltd", "vat_number": "1234567T"}
        created = {"account": ACCOUNT, "contact_email": "office@bakery.example", **company}
        identity = await self.created("verification", "/v1/identities", created)
        place = {"street": "1 Example Quay", "city": "Cork", "postal_code": "T12 X0X0", "country": "IE"}
        of_it = {"identity_id": identity["identity_id"]}
        address = await self.created("verification", "/v1/addresses", {**of_it, "region": "", **place})
        return {**of_it, "address_id": address["address_id"]}

    async def approve(self, attempt: Mapping[str, str]) -> None:
        """Approve a verification as a reviewer."""
        key, path = str(uuid4()), f"/v1/verifications/{attempt['verification_id']}/approve"
        answered = await self.call("reviewer", path, {}, key=key)
        about = {"did_id": attempt["did_id"], "number": attempt["number"]}
        if answered.status == 200:
            self.ledger.write("approve", key=key, **about)
        elif answered.code not in ("superseded", "already_decided"):
            self.odd.append(f"approve {about} was answered {answered.status} {answered.body}")

    async def created(self, name: str, path: str, body: Any) -> dict[str, Any]:
        """Create a thing over HTTP and return it."""
        answered = await self.call(name, path, body, key=str(uuid4()))
        assert answered.status == 201, answered
        made: dict[str, Any] = answered.body
        return made

    async def call(self, name: str, path: str, body: Any, *, key: str) -> Response:
        """Call a service's API with retries under one key."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self.apis[name].try_post(path, body, key=key)
            except CallFailed:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_AGAIN_S)


Ask = Callable[[Installation], Awaitable[Oracle]]
"""`await ask(installation)`: an oracle that writes into the test's ledger."""


def _numbers(first: int) -> Iterator[str]:
    """Yield the last six digits of numbers that the simulated carrier does not treat specially."""
    rising = (f"{n % 1_000_000:06}" for n in count(first))
    return (digits for digits in rising if digits[-4:] not in SCENARIOS)


@asynccontextmanager
async def asking(
    at: Installation, ledger: Ledger, *, seed: int, apis: Mapping[str, Api] | None = None
) -> AsyncIterator[Oracle]:
    """Open an oracle for the duration of the block."""
    # Without sequence numbers: an idempotent producer that a broker has refused once can send no more.
    producer = AIOKafkaProducer(**connection(at.settings), acks="all", request_timeout_ms=10_000)
    await producer.start()
    try:
        chance = random.Random(seed)
        yield Oracle(at=at, ledger=ledger, producer=producer, chance=chance, apis=dict(apis or {}))
    finally:
        await producer.stop()
