"""One DID on a running stack with real servers: what is done to it over HTTP, its history, and the events about it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaConsumer
from harness.folded_history import filled_fields, fold, shown

from didflow import movable_clock
from didflow.durations import parse_duration
from didflow.idle import idle_check
from didflow.servers import Wanted
from didflow.services import SERVICES
from didflow.stack import Stack, running
from didflow.tail import partitions_of
from didflow_chassis.decision import Caller
from didflow_chassis.kafka_clients import connection
from didflow_chassis.settings import Settings, load
from didflow_contracts.envelope import Event, decode
from didflow_contracts.events import EVENT_TYPES
from didflow_contracts.topics import TOPICS

PATIENCE: Final = 400
PAUSE_S: Final = 0.05
PAGE: Final = 7
"""How many entries a page of the history has. Small, so that a history has many pages."""

PEOPLE: Final[Mapping[str, tuple[str, str]]] = {
    "sam": ("reseller", "master/acme"),
    "eva": ("enterprise_admin", "master/acme/shop"),
    "rob": ("reviewer", "master"),
    "max": ("master_reseller", "master"),
    "bot": ("service", "master"),
}
"""Who acts: the subject of the token -> its role and account."""


@dataclass(kw_only=True)
class Life:
    """One DID on a stack. `entries` is its history so far, and `folded` what it gives."""

    stack: Stack = field(repr=False)
    client: httpx.AsyncClient = field(repr=False)
    number: str
    did: str = ""
    entries: list[Any] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)
    folded: dict[str, Any] = field(default_factory=dict)
    calls: int = 0

    async def ask(self, who: str, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Send a request of a person and return the answer, which must be a success, also for each item."""
        role, account = PEOPLE[who]
        self.calls += 1
        headers = {
            "Authorization": f"Bearer {self.stack.issuer.token(role=role, account=account, subject=who)}",
            "Idempotency-Key": f"call {self.calls}",
        }
        answer = await self.client.request(method, path, headers=headers, json=body, params=query)
        assert answer.is_success, answer.text
        found = answer.json()
        assert not (isinstance(found, dict) and found.get("refused")), found
        return found

    async def pages(self, who: str, path: str) -> list[Any]:
        """Read a list page by page."""
        items, cursor = [], {}
        while True:
            page = await self.ask(who, "GET", path, limit=PAGE, **cursor)
            items += page["items"]
            if page["next"] is None:
                return items
            cursor = {"cursor": page["next"]}

    async def now(self) -> datetime:
        """Return the time of inventory."""
        return (await movable_clock.show({"inventory": self._databases["inventory"]}))[0].now

    async def advance(self, by: str) -> None:
        """Move the clock of all services."""
        await movable_clock.advance(self._databases, parse_duration(by))

    async def recorded(self, *expected: str) -> None:
        """Wait until the history has these new entries. Its fold must be what My Numbers shows.

        An entry is written as `type actor cause`, see `label_of`. The services write side by side, so any order
        is right.
        """
        self.expected += expected
        wanted = sorted(label.rpartition(" ")[0] for label in expected if not is_routing(label))
        routing = {label.rpartition(" ")[0] for label in expected if is_routing(label)}
        new, before, after = await self._new_entries()
        for _ in range(PATIENCE):
            labels = [label_of(entry) for entry in new]
            if (
                before == after
                and routing <= {*labels}
                and len(labels) - sum(map(is_routing, labels)) >= len(wanted)
            ):
                break
            await asyncio.sleep(PAUSE_S)
            new, before, after = await self._new_entries()
        others = sorted(label for label in labels if not is_routing(label))
        assert others == wanted, f"{others} is not {wanted}"
        for entry in new:
            fold(self.folded, entry["changes"])
        self.entries += new
        caller = Caller(subject="sam", account="master/acme", role="reseller")
        given = shown(filled_fields(self.folded), await self.now(), caller)
        differing = {name: (given[name], after[name]) for name in after if given[name] != after[name]}
        assert differing == {}, f"{expected}: {differing}"

    async def _new_entries(self) -> tuple[list[Any], Any, Any]:
        """Return the new entries of the history, and the DID as it was shown before and after they were read."""
        before = await self.ask("sam", "GET", f"/v1/dids/{self.did}")
        history = await self.ask("sam", "GET", f"/v1/dids/{self.did}/history", limit=1000)
        after = await self.ask("sam", "GET", f"/v1/dids/{self.did}")
        return history["items"][len(self.entries) :], before, after

    async def events(self) -> dict[tuple[str, str], Event[Any]]:
        """Wait until all is quiet, and return all events about the number on the topics, by source and id."""
        found = await all_events(self.stack)
        return {(event.source, event.id): event for event in found if event.subject == self.number}

    @property
    def _databases(self) -> Mapping[str, str]:
        return {name: self.stack.servers.postgres[name] for name in SERVICES}


async def all_events(stack: Stack) -> list[Event[Any]]:
    """Wait until all is quiet, and return all events on the topics of a stack."""
    parts, found = stack.servers, []
    settings = settings_of(stack)
    async with idle_check(settings, parts.postgres) as idle:
        await idle.wait()
    topics = [parts.topic_prefix + name for name in TOPICS]
    async with AIOKafkaConsumer(
        **connection(settings), group_id=None, auto_offset_reset="earliest"
    ) as consumer:
        places = await partitions_of(settings, topics)
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        left = {place for place, end in ends.items() if end}
        while left:
            batches = await consumer.getmany(timeout_ms=200)
            found += [
                decode(r.value, r.headers, types=EVENT_TYPES) for r in chain.from_iterable(batches.values())
            ]
            left = {place for place in left if await consumer.position(place) < ends[place]}
    return found


def label_of(entry: Any, causes: Mapping[str, str] | None = None) -> str:
    """Return the type and the actor of an entry, and what caused its event: the type of an event, request or clock.

    Types are without `didflow.` and `.v1`, people without `user:`. An entry without an event has no cause. Without
    `causes` (the types of events by their ids), no cause is named.
    """
    label = f"{name_of(entry['type'])} {entry['actor'].removeprefix('user:')}"
    if causes is None:
        return label
    if entry["cause"] is None:
        return f"{label} -"
    caused_by = entry["cause"]["causationid"]
    return f"{label} {'clock' if caused_by is None else causes.get(caused_by, 'request')}"


def name_of(event_type: str) -> str:
    """Return the type of an event without what all types have."""
    return event_type.removeprefix("didflow.").removesuffix(".v1")


def is_routing(label: str) -> bool:
    """Return True for `routing.changed`. How often it comes depends on what provisioning hears first."""
    return label.startswith("routing.changed ")


@asynccontextmanager
async def life(kafka: str, folder: Path, number: str) -> AsyncIterator[Life]:
    """Run a stack for one DID. The prefix of its topics is that of the environment."""
    async with (
        running(Wanted(kafka=kafka), folder, tell=lambda _: None, port=0) as stack,
        httpx.AsyncClient(base_url=stack.base, timeout=15, trust_env=False) as client,
    ):
        yield Life(stack=stack, client=client, number=number)


def settings_of(stack: Stack) -> Settings:
    """Return the settings with which the stack uses Kafka."""
    parts = stack.servers
    dsn = parts.postgres["inventory"]
    return load(Settings, kafka=parts.kafka, topic_prefix=parts.topic_prefix, postgres=dsn, production=False)
