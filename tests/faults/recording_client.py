"""A client that sends purchases and commands, and writes each one to the ledger once it is acknowledged.

It repeats a request, the same bytes under the same key, until the request is acknowledged. So the effect of every
ledger entry must be found exactly once, even if the request was sent twice.
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

SOURCE: Final = "/orders/faults"
PRICE: Final = {
    "setup": {"amount": "2.50", "currency": "USD"},
    "recurring": {"amount": "1.15", "currency": "USD"},
}
FREE: Final = "+12125"
"""Prefix of New York, where no registration is required."""
STRICT: Final = "+353212"
"""Prefix of Cork, where end-user details are required."""
_HEADERS: Final = [("content-type", CONTENT_TYPE.encode())]
_RETRY_S: Final = 0.2
PATIENCE_S: Final = 180.0
"""A request that is not acknowledged after this time fails with its last error. No fault lasts so long."""

PATHS: Final[Mapping[str, tuple[str, str]]] = {
    "set_voice": ("provisioning", "/v1/routing/batch/set-voice"),
    "set_capacity": ("provisioning", "/v1/routing/batch/set-capacity"),
    "set_cycles": ("billing", "/v1/terms/batch/set-cycles"),
    "renew": ("billing", "/v1/terms/batch/renew"),
    "cancel": ("billing", "/v1/terms/batch/cancel"),
    "restore": ("billing", "/v1/terms/batch/restore"),
    "assign": ("inventory", "/v1/dids/batch/assign-end-user"),
}
"""Kind of command -> the service and the path of its route."""


@dataclass(frozen=True, kw_only=True)
class SentPurchase:
    """One purchase as it was sent."""

    did_id: str
    number: str
    key: str
    data: DidPurchased
    value: bytes


@dataclass(kw_only=True)
class RecordingClient:
    """One client of an installation. `apis`: service -> the API that receives its commands."""

    installation: Installation
    ledger: Ledger
    producer: AIOKafkaProducer
    random_source: random.Random
    apis: dict[str, Api] = field(default_factory=dict)
    purchases: list[SentPurchase] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    _numbers: Iterator[str] = field(init=False)

    def __post_init__(self) -> None:
        """Start at a random number, so that two clients of one test do not buy the same numbers."""
        self._numbers = _numbers(self.random_source.randrange(1_000_000))

    def make(self, *, prefix: str = FREE, **changed: Any) -> SentPurchase:
        """Return a new purchase."""
        number = prefix + next(self._numbers)
        did_id, key = derived_id("faults", number), f"purchase-{number}"
        fields = {
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
        data = DidPurchased.model_validate(fields | changed)
        event = Event(id=key, source=SOURCE, time=datetime.now(UTC), data=data)
        return SentPurchase(did_id=str(did_id), number=number, key=key, data=data, value=encode(event))

    async def purchase(self, times: int = 1, **changed: Any) -> list[SentPurchase]:
        """Publish purchases. Return them once all are acknowledged and in the ledger."""
        purchases = [self.make(**changed) for _ in range(times)]
        await asyncio.gather(*(self.publish(one) for one in purchases))
        return purchases

    async def publish(self, purchase: SentPurchase) -> None:
        """Publish one purchase and write it to the ledger."""
        await self.send(DidPurchased.topic, purchase.value, purchase.number)
        self.note(purchase)

    def note(self, purchase: SentPurchase) -> None:
        """Write an acknowledged purchase to the ledger."""
        self.ledger.write(
            "purchase",
            did_id=purchase.did_id,
            number=purchase.number,
            key=purchase.key,
            **purchase.data.model_dump(mode="json", include={"price", "billing_period"}),
            registration="not_required" if purchase.number.startswith(FREE) else "awaiting",
        )
        self.purchases.append(purchase)

    async def repeat(self, purchase: SentPurchase) -> None:
        """Publish the same event again, as an order system without an acknowledgement does."""
        await self.send(DidPurchased.topic, purchase.value, purchase.number)
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
        name = self.installation.parts.topic_prefix + topic
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self.producer.send_and_wait(
                    name, value, key=key.encode(), headers=_HEADERS, partition=partition
                )
            except KafkaError:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_RETRY_S)

    async def purchase_over_http(self, **changed: Any) -> SentPurchase:
        """Purchase over HTTP and write the purchase to the ledger when the answer is 201."""
        purchase = self.make(**changed)
        body = purchase.data.model_dump(mode="json", exclude_unset=True)
        response = await self.call("inventory", "/v1/purchases", body, key=purchase.key)
        if response.status == 201:
            self.note(purchase)
        else:
            self.unexpected.append(
                f"purchase of {purchase.number} was answered {response.status} {response.body}"
            )
        return purchase

    async def command(self, kind: Kind, purchase: SentPurchase, **fields: Any) -> str:
        """Send a command for one DID until it is answered. Return its outcome, or the code of the refusal."""
        name, path = PATHS[kind]
        key = str(uuid4())
        response = await self.call(name, path, {"dids": [purchase.did_id], **fields}, key=key)
        if response.status != 200:
            self.unexpected.append(f"{kind} {purchase.did_id} was answered {response.status} {response.body}")
            return response.code
        result = response.body["results"][0]
        if result["outcome"] == "refused":
            return str(result["code"])
        self.ledger.write(kind, did_id=purchase.did_id, number=purchase.number, key=key, **fields)
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
        response = await self.call("reviewer", path, {}, key=key)
        about = {"did_id": attempt["did_id"], "number": attempt["number"]}
        if response.status == 200:
            self.ledger.write("approve", key=key, **about)
        elif response.code not in ("superseded", "already_decided"):
            self.unexpected.append(f"approve {about} was answered {response.status} {response.body}")

    async def created(self, name: str, path: str, body: Any) -> dict[str, Any]:
        """Create a thing over HTTP and return it."""
        response = await self.call(name, path, body, key=str(uuid4()))
        assert response.status == 201, response
        resource: dict[str, Any] = response.body
        return resource

    async def call(self, name: str, path: str, body: Any, *, key: str) -> Response:
        """Call a service's API with retries under one key."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return await self.apis[name].try_post(path, body, key=key)
            except CallFailed:
                if time.monotonic() > deadline:
                    raise
                await asyncio.sleep(_RETRY_S)


OpenClient = Callable[[Installation], Awaitable[RecordingClient]]
"""`await open_client(installation)`: open a client that writes to the test's ledger."""


def _numbers(first: int) -> Iterator[str]:
    """Yield the last six digits of numbers that the simulated carrier does not treat specially."""
    rising = (f"{n % 1_000_000:06}" for n in count(first))
    return (digits for digits in rising if digits[-4:] not in SCENARIOS)


@asynccontextmanager
async def recording_client(
    installation: Installation, ledger: Ledger, *, seed: int, apis: Mapping[str, Api] | None = None
) -> AsyncIterator[RecordingClient]:
    """Open a client for the duration of the block."""
    # Not idempotent: after a broker has refused one record, an idempotent producer cannot send any more.
    producer = AIOKafkaProducer(**connection(installation.settings), acks="all", request_timeout_ms=10_000)
    await producer.start()
    try:
        random_source = random.Random(seed)
        yield RecordingClient(
            installation=installation,
            ledger=ledger,
            producer=producer,
            random_source=random_source,
            apis=dict(apis or {}),
        )
    finally:
        await producer.stop()
