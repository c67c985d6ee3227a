"""A running stack as number managers and order systems see it: My Numbers, its stream, billing, the carrier."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, Final, NamedTuple
from uuid import uuid4

import httpx
from aiokafka import AIOKafkaProducer
from harness.outside_records import record
from holdings.life_on_the_stack import settings_of
from one_stack.caller import ACCOUNT, Caller, order_of

from didflow.idle import idle_check
from didflow.servers import Wanted
from didflow.services import SERVICES
from didflow.stack import Stack, running
from term_lives.shared_clock import SharedClock

SETUP, MONTH = "2.50", "4.20"
"""What a DID costs: once, and for a month."""
PRICE: Final = {
    "setup": {"amount": SETUP, "currency": "EUR"},
    "recurring": {"amount": MONTH, "currency": "EUR"},
}
PATIENCE_S: Final = 30.0
POLL_S: Final = 0.1
SUBJECTS: Final = 8
"""How many subjects share the requests, so that none of them reaches its rate."""
INSTANTS: Final = ("_at", "_until", "_start", "_end", ".by")
"""How the names of instants end."""


class Streamed(NamedTuple):
    """A change of a DID in the stream: its status, whether it is gone, and the second of the machine."""

    status: str | None
    removed: bool
    second: float


class Installation(Caller):
    """A stack. All lives share one reader of `GET /v1/dids` and one stream of changes.

    `start` is the purchase of all DIDs, an hour before the stack started.
    """

    def __init__(self, stack: Stack, client: httpx.AsyncClient, clock: SharedClock, start: datetime) -> None:
        self.tokens = token_of(stack)
        super().__init__(client, self.tokens)
        self.stack, self.client, self.clock, self.start = stack, client, clock, start
        self.trunk = ""
        self.streamed: dict[str, list[Streamed]] = {}
        self._seen: dict[str, Any] = {}
        self._round = 0
        self._news = asyncio.Condition()

    async def refused(self, action: str, did: str, **body: Any) -> str | None:
        """Send a batch about the term of one DID, and return the code of its refusal; None if it was done."""
        answer = await self.ask("POST", f"/v1/terms/batch/{action}", {"dids": [did], **body})
        (result,) = answer["results"]
        assert result["outcome"] in ("done", "refused"), result
        return result["code"]

    async def order(self, number: str, **changes: Any) -> str:
        """Publish a purchase on Kafka as an order system, and return the id of the DID."""
        data = self._order_of(number) | {"did_id": str(uuid4())} | changes
        servers = self.stack.servers
        sent = record("did.purchased", data)
        async with AIOKafkaProducer(bootstrap_servers=servers.kafka) as producer:
            topic = servers.topic_prefix + sent.topic
            await producer.send_and_wait(topic, sent.value, key=sent.key, headers=list(sent.headers))
        return str(data["did_id"])

    async def buy(self, number: str, **changes: Any) -> str:
        """Purchase a number over HTTP, and return the id of the DID."""
        bought = self._order_of(number) | changes
        return await self.purchase(bought.pop("number"), **bought)

    def _order_of(self, number: str) -> dict[str, Any]:
        return order_of(number) | {"price": PRICE, "purchased_at": self.start.isoformat()}

    async def listed(self, did: str, expected: Mapping[str, Any]) -> Any:
        """Wait until `GET /v1/dids` has a DID with these values, and return it. A name of a part has dots."""
        began, after, found = perf_counter(), self._round + 1, {}
        while perf_counter() - began < PATIENCE_S:
            async with self._news:
                await self._news.wait()
            view = self._seen.get(did)
            found = {} if view is None else {name: value_at(view, name) for name in expected}
            if self._round > after and found == expected:
                return view
        raise AssertionError(f"{found} is not {dict(expected)}")

    async def unlisted(self, did: str) -> None:
        """Wait until `GET /v1/dids` has no such DID."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self._round and did not in self._seen)

    async def read(self) -> None:
        """Read My Numbers again and again."""
        while True:
            page = await self.ask("GET", "/v1/dids", limit=1000)
            async with self._news:
                self._seen = {view["did_id"]: view for view in page["items"]}
                self._round += 1
                self._news.notify_all()
            await asyncio.sleep(POLL_S)

    async def follow(self) -> None:
        """Read the stream of changes."""
        headers = {"Authorization": f"Bearer {self.tokens(role='reseller', account=ACCOUNT)}"}
        async with self.client.stream("GET", "/v1/dids/changes", headers=headers, timeout=None) as stream:
            async for line in stream.aiter_lines():
                name, _, value = line.partition(": ")
                if name == "data":
                    data = json.loads(value)
                    self.streamed.setdefault(data["did_id"], []).append(
                        Streamed(data["status"], data["removed"], perf_counter())
                    )


def value_at(view: Any, name: str) -> Any:
    """Return a value of an answer, an instant as a datetime. A name of a part has dots."""
    for part in name.split("."):
        view = view[part]
    is_instant = name.endswith(INSTANTS) and view is not None
    return datetime.fromisoformat(view) if is_instant else view


def token_of(stack: Stack) -> Callable[..., str]:
    """Return the function that gives the tokens of people, of several subjects for each role."""
    subjects = count()

    def token(*, role: str, account: str) -> str:
        subject = f"{role}{next(subjects) % SUBJECTS}"
        return stack.issuer.token(role=role, account=account, subject=subject)

    return token


@asynccontextmanager
async def installed(kafka: str, folder: Path) -> AsyncIterator[Installation]:
    """Run a stack whose clock can be moved, and read what it shows. The prefix of its topics is in the environment."""
    async with (
        running(Wanted(kafka=kafka), folder, tell=lambda _: None, port=0) as stack,
        httpx.AsyncClient(base_url=stack.base, timeout=30, trust_env=False) as client,
        idle_check(settings_of(stack), stack.servers.postgres) as idle,
    ):
        databases = {name: stack.servers.postgres[name] for name in SERVICES}
        clock = SharedClock(databases=databases, idle=idle)
        start = (await clock.now()).replace(microsecond=0) - timedelta(hours=1)
        found = Installation(stack, client, clock, start)
        readers = [asyncio.ensure_future(found.read()), asyncio.ensure_future(found.follow())]
        body = {"name": "Desk", "forward_to": "+35315550123"}
        found.trunk = (await found.ask("POST", "/v1/voice-trunks", body))["voice_trunk_id"]
        yield found
        for reader in readers:
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
