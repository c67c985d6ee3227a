"""The attacked installation: four services as processes on real servers, and everything that an attack needs.

`Target.beside_bystanders` surrounds each attack. At its end it compares the bystanders with their idle time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import httpx
from aiokafka import AIOKafkaProducer, TopicPartition
from faults.installation import Installation
from harness.outside_records import ATTACKER
from harness.processes import RunningProcess, until
from harness.steady_purchases import at

from attacks.bystanders import EXPECTED, Bystanders
from didflow_chassis.records import Record
from didflow_contracts.topics import SERVICES, TOPICS

FACTOR: Final = 3.0
UNNOTICED_MS: Final = 1_000.0
"""Times below it count as undisturbed. A shared machine delays single purchases by this much without any attack."""
LEAST_S: Final = 2.0
"""How long the bystanders buy at least, so that an attack that is over at once is measured too."""
PATIENCE_S: Final = 90.0

Place = tuple[str, int, int]
"""Topic without its prefix, partition, offset."""

_FATES: Final = """
SELECT coalesce('dead ' || l.reason, 'parked ' || p.reason, 'decided') AS fate, count(*)
FROM unnest($1::text[], $2::integer[], $3::bigint[]) AS w (t, n, o)
LEFT JOIN dead_letters l ON l.topic = w.t AND l.partition = w.n AND l."offset" = w.o
LEFT JOIN parked p ON p.topic = w.t AND p.partition = w.n AND p."offset" = w.o
GROUP BY 1
"""


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What an attack cost the bystanders. Times are in milliseconds."""

    attack: str
    purchases: int
    lost: int
    p95: float
    worst: float

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"{self.attack:<75} {self.purchases:>4} purchases {self.lost:>3} lost"
            f"  p95 {self.p95:>6.0f} ms  worst {self.worst:>6.0f} ms"
        )


@dataclass(kw_only=True)
class Target:
    """A running installation. `clients`: service -> HTTP client without a token. `idle` has the idle times, sorted."""

    installation: Installation
    carrier: RunningProcess
    bystanders: Bystanders
    producer: AIOKafkaProducer
    admin: Any
    clients: Mapping[str, httpx.AsyncClient]
    databases: Mapping[str, Any]
    idle: list[float] = field(default_factory=list)
    figures: list[Figures] = field(default_factory=list)

    @asynccontextmanager
    async def beside_bystanders(self, attack: str, *, may_wait: bool = False) -> AsyncIterator[None]:
        """Let the bystanders buy during the block and until all is published. Then check what it cost them.

        With `may_wait` they may wait as long as the attack lasts: behind a backlog in their partitions, whose order is
        part of the contract, or beside calls within the share of an account.
        Raises AssertionError with everything that is wrong.
        """
        wrong: list[str] = []
        before = len(self.bystanders.sent)
        self.bystanders.refused.clear()
        async with self.bystanders.steady() as latencies:
            began = time.monotonic()
            try:
                yield
                await self._published()
            except (AssertionError, TimeoutError, httpx.HTTPError) as error:
                wrong.append(f"{type(error).__name__}: {error}")
            lasted_ms = (time.monotonic() - began) * 1_000
            await asyncio.sleep(LEAST_S - lasted_ms / 1_000)
        bought = list(self.bystanders.sent)[before:]
        figures = Figures(
            attack=attack,
            purchases=len(bought),
            lost=len(self.bystanders.lost.intersection(bought)),
            p95=at(latencies, 0.95),
            worst=latencies[-1] if latencies else 0.0,
        )
        self.figures.append(figures)
        print(figures)  # noqa: T201 - for the report
        limit_ms = self.limit_ms + (lasted_ms if may_wait else 0.0)
        wrong += [reason async for reason in self._harm(figures, bought, limit_ms)]
        assert not wrong, f"{attack}:\n" + "\n".join(wrong)

    async def _harm(self, figures: Figures, bought: Sequence[str], limit_ms: float) -> AsyncIterator[str]:
        if figures.lost:
            yield f"{figures.lost} of {figures.purchases} purchases of bystanders are lost"
        if self.bystanders.refused:
            yield f"bystanders were refused: {Counter(self.bystanders.refused).most_common(3)}"
        for name, statement in EXPECTED.items():
            reached = await self.databases[name].fetchval(statement, bought)
            if reached != len(bought):
                yield f"{name} has {reached} of {len(bought)} purchases in their final state"
        if figures.p95 > limit_ms:
            idle = at(self.idle, 0.95)
            yield f"p95 of bystanders is {figures.p95:.0f} ms, more than {limit_ms:.0f} ms; idle {idle:.0f} ms"
        for process in (*(member.process for member in self.installation.members), self.carrier):
            if process.exit_code is not None:
                yield f"{process.name} ended with {process.exit_code}"

    @property
    def limit_ms(self) -> float:
        """How long a purchase of a bystander may take during an attack, as a p95."""
        return max(FACTOR * at(self.idle, 0.95), UNNOTICED_MS)

    async def _published(self) -> None:
        """Wait until each outbox has been empty. Bystanders go on buying, so all are rarely empty at once."""
        for name, database in self.databases.items():

            async def is_empty(database: Any = database) -> bool:
                return not await database.fetchval("SELECT EXISTS (SELECT FROM outbox)")

            await until(is_empty, within=PATIENCE_S, what=f"an empty outbox of {name}")

    async def publish(self, records: Sequence[Record]) -> list[Place]:
        """Publish records at their partition, and return their places."""
        prefix = self.installation.parts.topic_prefix
        sent = [
            await self.producer.send(
                prefix + r.topic, r.value, key=r.key, headers=list(r.headers), partition=r.partition
            )
            for r in records
        ]
        places = await asyncio.gather(*sent)
        return [(place.topic.removeprefix(prefix), place.partition, place.offset) for place in places]

    async def fates(self, places: Sequence[Place], within: float = PATIENCE_S) -> dict[str, dict[str, int]]:
        """Wait until all readers have read these records. Return service -> what became of how many of them.

        That is `decided`, `parked` with the reason, or `dead` with the reason.
        """
        readers = TOPICS[places[0][0]].readers
        found = {}
        for name in (name for name in SERVICES if name in readers):

            async def has_read(name: str = name) -> bool:
                return await self._has_read(name, places)

            await until(has_read, within=within, what=f"{name} reads all records of the attack")
            columns = map(list, zip(*places, strict=True))
            found[name] = dict(await self.databases[name].fetch(_FATES, *columns))
        return found

    async def _has_read(self, service: str, places: Sequence[Place]) -> bool:
        prefix = self.installation.parts.topic_prefix
        last: dict[TopicPartition, int] = {}
        for topic, partition, offset in places:
            where = TopicPartition(prefix + topic, partition)
            last[where] = max(last.get(where, 0), offset)
        committed = await self.admin.list_consumer_group_offsets(prefix + service, partitions=list(last))
        await asyncio.sleep(0.1)
        return all(committed[where].offset > offset for where, offset in last.items())

    async def becomes(
        self, service: str, statement: str, *values: Any, expected: Any, within: float = PATIENCE_S
    ) -> None:
        """Wait until a statement returns this value. Raises TimeoutError with the last one."""
        seen: Any = None

        async def is_there() -> bool:
            nonlocal seen
            await asyncio.sleep(0.1)
            seen = await self.databases[service].fetchval(statement, *values)
            return bool(seen == expected)

        try:
            await until(is_there, within=within, what=f"{service}: {statement}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}: {seen!r}, not {expected!r}") from None

    async def call(
        self,
        service: str,
        method: str,
        path: str,
        body: Any = None,
        *,
        role: str = "reseller",
        account: str = ATTACKER,
        subject: str | None = None,
        key: str | None = None,
        **options: Any,
    ) -> httpx.Response:
        """Send one request as any caller, and return the answer, whatever it is."""
        token = self.installation.issuer.token(role=role, account=account, subject=subject)
        headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
        return await self.clients[service].request(method, path, json=body, headers=headers, **options)
