"""F24: mutated events reach all four services beside good ones. Every good one is decided, no mutated one is lost.

`DIDFLOW_MUTATED` sets how many mutated records each service reads; there is a tenth as many good ones.
"""

import asyncio
import itertools
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import asyncpg
import psutil
from faults import consistency
from faults.event_mutations import STANDARD, mutated
from faults.installation import Install, Installation, Member, ready
from faults.raw_records import RawRecord, publish
from faults.recording_client import OpenClient, RecordingClient
from faults.services_in_process import READS
from harness.processes import DeadlineMissedError, until

from didflow.consistency.check import check
from didflow.services import service
from didflow_chassis.kafka_internals import record_headers
from didflow_chassis.records import Record
from didflow_chassis.stage.messages import Decoder, event_id_hash, poison
from didflow_contracts.events import DidPurchased
from didflow_contracts.topics import SERVICES

MUTATED: Final = int(os.environ.get("DIDFLOW_MUTATED") or 500)
GOOD: Final = MUTATED // 10
ROUNDS: Final = 5
PARTITIONS: Final = 12
RECORDS: Final = 40
"""So many records go to a partition, then as many to the next."""
PATIENCE_S: Final = 60 + MUTATED / 20
GROWTH_MIB: Final = 40
"""A worker's memory may grow so much in the second half: less than one hundredth of what it read in the long form."""
MIB: Final = 2**20
_TAKEN: Final = "SELECT id, decision FROM inbox WHERE id = ANY($1)"


@dataclass(kw_only=True)
class Expected:
    """What each service must have taken. The inbox has a record under the key of its event or of its position."""

    mutated: dict[str, list[tuple[bytes, bytes]]] = field(
        default_factory=lambda: {name: [] for name in SERVICES}
    )
    good: list[bytes] = field(default_factory=list)
    records: dict[bytes, Record] = field(default_factory=dict)


class Mutations:
    """Publishes mutated records between good ones, and computes under which keys each service must know them."""

    def __init__(self, client: RecordingClient, seed: int) -> None:
        self.client = client
        self.expected = Expected()
        self._decoders = {name: Decoder(service(name)) for name in SERVICES}
        self._sources = {name: mutated(seed + n, sorted(READS[name])) for n, name in enumerate(SERVICES)}

    async def publish(self, per_service: int, good: int) -> None:
        """Publish so many mutated records that each service reads `per_service`, and good ones among them."""
        records = [(DidPurchased.topic, self._purchase()) for _ in range(good)]
        counts: Counter[str] = Counter()
        for name in SERVICES:
            while counts[name] < per_service:
                topic, record = next(self._sources[name])
                counts.update(reader for reader in SERVICES if topic in READS[reader])
                records.append((topic, record))
        self.client.random_source.shuffle(records)
        for n, start in enumerate(range(0, len(records), RECORDS)):
            some = records[start : start + RECORDS]
            for topic in sorted({topic for topic, _ in some}):
                await self._publish(topic, n % PARTITIONS, [record for one, record in some if one == topic])

    def _purchase(self) -> RawRecord:
        purchase = self.client.make()
        self.client.note(purchase)
        self.expected.good.append(event_id_hash("/orders/faults", purchase.key))
        return RawRecord(key=purchase.number.encode(), value=purchase.value, headers=STANDARD)

    async def _publish(self, topic: str, partition: int, records: list[RawRecord]) -> None:
        name = self.client.installation.parts.topic_prefix + topic
        first = await publish(self.client.producer, name, partition, records)
        good = set(self.expected.good)
        for offset, raw in enumerate(records, first):
            headers = tuple((key.decode("utf-8", "surrogateescape"), value) for key, value in raw.headers)
            record = Record(topic, partition, offset, raw.key, raw.value, headers)
            by_position = poison(record, "", "").inbox_id
            self.expected.records[by_position] = record
            for reader in SERVICES:
                by_event = self._decoders[reader].decode(record).inbox_id if topic in READS[reader] else None
                if by_event is not None and by_event not in good:
                    self.expected.mutated[reader].append((by_event, by_position))


@dataclass(kw_only=True)
class Databases:
    """A connection to the database of each service."""

    connections: Mapping[str, asyncpg.Connection]

    async def missing(self, expected: Expected) -> dict[str, set[bytes]]:
        """Return the keys of the records that a service has not taken."""
        found = {}
        for name in self.connections:
            taken = await self._decisions(name, expected.mutated[name], expected.good)
            missing = {two[1] for two in expected.mutated[name] if taken.keys().isdisjoint(two)}
            missing |= set(expected.good) - taken.keys()
            if missing:
                found[name] = missing
        return found

    async def outcomes(self, name: str, expected: Expected) -> tuple[Counter[str], Counter[str]]:
        """Return what a service did with the mutated records, and with the good ones: decision -> count."""
        decisions = await self._decisions(name, expected.mutated[name], expected.good)
        mutated_ones = (decisions.get(two[1]) or decisions[two[0]] for two in expected.mutated[name])
        return Counter(mutated_ones), Counter(decisions[one] for one in expected.good)

    async def _decisions(
        self, name: str, mutated_ones: list[tuple[bytes, bytes]], good: list[bytes]
    ) -> dict[bytes, str]:
        wanted = {*itertools.chain(*mutated_ones), *good}
        rows = await self.connections[name].fetch(_TAKEN, list(wanted))
        return {row["id"]: row["decision"] for row in rows}


async def test_good_events_among_mutated_ones_are_decided_and_no_worker_restarts(
    install: Install, open_client: OpenClient, seed: int
) -> None:
    """F24: in all four services, every good event is decided, every mutated one is accounted for, memory stays flat."""
    record_headers.install()
    installation = await install(*SERVICES)
    mutations = Mutations(await open_client(installation), seed)
    workers = await ready(*(installation.worker(name) for name in SERVICES))
    pids = [worker.process.pid for worker in workers]
    databases = Databases(connections=await connections(installation))
    memory: list[dict[str, int]] = []
    for _ in range(ROUNDS):
        await mutations.publish(MUTATED // ROUNDS, GOOD // ROUNDS)
        await wait_until_taken(databases, mutations.expected, workers)
        memory.append({worker.service: rss(worker) for worker in workers})
    for name in SERVICES:
        outcomes, good = await databases.outcomes(name, mutations.expected)
        print(name, dict(outcomes.most_common()))  # noqa: T201 - pytest shows it with a failure, or with -s
        assert good == {"decided": GOOD}, (name, good)
    print("memory in MiB:", memory)  # noqa: T201
    assert [worker.process.exit_code for worker in workers] == [None] * len(SERVICES)
    assert [worker.process.pid for worker in workers] == pids
    assert [name for name in SERVICES if memory[-1][name] - memory[ROUNDS // 2][name] > GROWTH_MIB] == []
    for connection in databases.connections.values():
        await connection.close()
    await check_good_ones(installation, mutations.client)


async def check_good_ones(installation: Installation, client: RecordingClient) -> None:
    """Check that the four databases agree about the good purchases.

    The mutated events are forged in the names of all services, so the databases disagree about theirs.
    """
    consistency.forget()
    numbers = {purchase.number for purchase in client.purchases}
    result = await check(installation.parts.postgres, wait=consistency.WAIT_S)
    assert [disagreement for disagreement in result.disagreements if disagreement.number in numbers] == []


async def connections(installation: Installation) -> dict[str, asyncpg.Connection]:
    """Return a connection to the database of each service."""
    return {name: await asyncpg.connect(dsn) for name, dsn in installation.parts.postgres.items()}


async def wait_until_taken(databases: Databases, expected: Expected, workers: tuple[Member, ...]) -> None:
    """Wait until every record is taken by every service that reads it."""
    missing: dict[str, set[bytes]] = {}

    async def none_missing() -> bool:
        nonlocal missing
        for worker in workers:
            assert worker.process.exit_code is None, f"{worker.name} ended:\n{worker.process.log_tail()}"
        missing = await databases.missing(expected)
        await asyncio.sleep(0.2 if missing else 0)
        return not missing

    try:
        await until(none_missing, within=PATIENCE_S, what="all records taken")
    except DeadlineMissedError as error:
        counts = {name: len(ids) for name, ids in missing.items()}
        some = [expected.records.get(one, "a good one") for ids in missing.values() for one in ids][:5]
        raise AssertionError(f"not taken: {counts}, such as {some}") from error


def rss(worker: Member) -> int:
    """Return the memory of a worker, in MiB."""
    size: int = psutil.Process(worker.process.pid).memory_info().rss // MIB
    return size
