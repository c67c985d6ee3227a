"""One attempt at a batch inside a transaction: lock, load, recognize repeats, decide, save.

The first statement takes all locks of the batch, distinct and sorted, and reads the service's time. Every table is
then read by one statement, whatever the size of the batch. If a decision needs states that only loaded states name,
their locks are tried, these states are loaded too, and the batch is decided again in the same transaction.
"""

import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec import field as struct_field

from didflow_chassis.dead_letters import NewLetter
from didflow_chassis.service import Ref, Service
from didflow_chassis.stage import parked_messages
from didflow_chassis.stage.breaker import Breaker
from didflow_chassis.stage.busy import Busy, without
from didflow_chassis.stage.entity_queue import EntityQueues, ParkedMessage
from didflow_chassis.stage.events import EventWriter
from didflow_chassis.stage.messages import (
    Batch,
    Decoder,
    Message,
    MoreNeeded,
    Poison,
    locks_of,
    poison,
    refs_of,
    uncovered,
)
from didflow_chassis.stage.unit_of_work import UnitOfWork, save
from didflow_chassis.tables import NOW_SQL
from didflow_contracts.envelope import BadEvent, Event, check_times

LOCK = f"""
WITH locked AS MATERIALIZED (
    SELECT CASE WHEN w THEN pg_advisory_xact_lock(k)::text ELSE pg_advisory_xact_lock_shared(k)::text END AS got
    FROM unnest($1::bigint[], $2::boolean[]) AS wanted (k, w))
SELECT {NOW_SQL}, count(got) FROM locked
"""  # noqa: S608

TRY_LOCK = f"""
WITH locked AS MATERIALIZED (
    SELECT k, CASE WHEN w THEN pg_try_advisory_xact_lock(k) ELSE pg_try_advisory_xact_lock_shared(k) END AS got
    FROM unnest($1::bigint[], $2::boolean[]) AS wanted (k, w))
SELECT {NOW_SQL}, array_agg(k) FILTER (WHERE NOT got) FROM locked
"""  # noqa: S608

TAKEN = """
SELECT id, digest, sequence_hash FROM inbox WHERE id = ANY($1::bytea[]) OR sequence_hash = ANY($2::bigint[])
"""

ID_REUSED = ("id_reused", "The id was used before for another type, subject or data.")
SEQUENCE_REUSED = ("sequence_reused", "The source used this sequence before for another event.")


Rows = dict[type, tuple[list[Any], set[Hashable]]]
"""The rows of states that were read under the locks, and the keys that were asked for, by model class."""


@dataclass(slots=True)
class Locked:
    """What a transaction has under its locks: the service's time, what others hold, and the rows that were read."""

    now: datetime
    busy: Busy
    rows: Rows = field(default_factory=dict)


class Taken(Struct):
    """What the inbox knows: digests by id, and ids by sequence hash."""

    digests: dict[bytes, bytes] = struct_field(default_factory=dict)
    ids: dict[int, bytes] = struct_field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Context:
    """What stays the same from batch to batch."""

    service: Service
    decoder: Decoder
    breaker: Breaker


async def attempt(
    connection: Any,
    context: Context,
    batch: Batch,
    refs: set[Ref],
    events: EventWriter,
    *,
    is_batch: bool = False,
) -> UnitOfWork:
    """Process a batch up to the commit. Raises MoreNeeded, Transient, Rejected or the database's errors.

    `refs` gets the states that were found under the locks.
    """
    now, held = await lock(connection, context.service, batch, refs)
    locked = Locked(now, Busy(context.service, batch, held))
    ids = dict(events.ids)
    while True:
        try:
            work = await _decided(connection, context, batch, refs, events, locked=locked, is_batch=is_batch)
        except MoreNeeded as more:
            if not await _lock_more(connection, context.service, batch, refs, more.refs, locked=locked):
                raise
            refs |= more.refs
            events.ids = dict(ids)
        else:
            await save(connection, work, events.prefix)
            return work


async def _decided(
    connection: Any,
    context: Context,
    batch: Batch,
    refs: set[Ref],
    events: EventWriter,
    *,
    locked: Locked,
    is_batch: bool,
) -> UnitOfWork:
    """Decide a batch under its locks. States that were read before are not read again."""
    service, busy = context.service, locked.busy
    messages = [message.begin() for message in batch.messages]
    refs = busy.without(refs)
    writable = frozenset((ref.model, ref.key) for ref in refs if ref.write)
    work = UnitOfWork(service, locked.now, frozenset(refs), writable)
    await load_states(connection, service, work, refs, locked.rows)
    rows, retried, left = await parked_messages.load(connection, context, work, batch, busy)
    work.messages = [*without(left, messages), *retried]
    inbox_ids = batch.inbox_ids() + [message.inbox_id for message in retried]
    hashes = [message.sequence_hash for message in work.messages if message.sequence_hash]
    taken = await _load_taken(connection, inbox_ids, hashes)
    _check_refs(service, refs, [*parked_messages.messages_of(rows), *retried])
    fresh = _remove_repeats(work, work.messages, batch.poisons, taken)
    if work.poisoned:
        await _give_up(connection, work, [bad for _, bad in work.poisoned])
    began = time.perf_counter()
    queues = EntityQueues(work, events, context.breaker, rejected=batch.rejected, is_batch=is_batch)
    _decide(queues, [entity for entity in batch.entities if entity not in left], fresh, rows)
    work.decided_at = time.perf_counter()
    work.decided_s = work.decided_at - began
    if work.newly_parked:
        await _refuse_unfit(connection, work)
    return work


async def lock(connection: Any, service: Service, batch: Batch, refs: set[Ref]) -> tuple[Any, set[int]]:
    """Take the locks. Return the service's time and, for a batch from timers, the locks that others hold."""
    locks = locks_of(service, batch, refs)
    statement = TRY_LOCK if batch.from_timers else LOCK
    now, locked = await connection.fetchrow(statement, list(locks), list(locks.values()))
    return now, set(locked or ()) if batch.from_timers else set()


async def _lock_more(
    connection: Any, service: Service, batch: Batch, refs: set[Ref], more: set[Ref], *, locked: Locked
) -> bool:
    """Try to take the locks of more states, and read the time again. Return False if others hold some of them.

    The locks are not sorted with those before. So this does not wait for them, and nothing can deadlock. A batch of
    timers leaves what others hold. It begins again with all locks.
    """
    if batch.from_timers or more <= refs:
        return False
    held = locks_of(service, batch, refs)
    locks = {
        key: write for key, write in locks_of(service, batch, refs | more).items() if held.get(key) != write
    }
    now, busy = await connection.fetchrow(TRY_LOCK, list(locks), list(locks.values()))
    locked.now = now
    return not busy


async def load_states(
    connection: Any, service: Service, work: UnitOfWork, refs: Iterable[Ref], read: Rows | None = None
) -> None:
    """Load all states that the refs name, by one statement for each kind. What is in `read` is not read again."""
    keys: dict[type, set[Hashable]] = defaultdict(set)
    for ref in refs:
        keys[ref.model].add(ref.key)
    read = {} if read is None else read
    for kind in service.all_kinds:
        wanted = keys.get(kind.model)
        if wanted:
            rows, known = read.setdefault(kind.model, ([], set()))
            if missing := wanted - known:
                rows += await connection.fetch(kind.load_sql, list(missing))
                known |= missing
            work.add_loaded(kind, [kind.from_row(tuple(row)) for row in rows], wanted)


async def _load_taken(connection: Any, ids: list[bytes], sequence_hashes: list[int]) -> Taken:
    if not ids:
        return Taken()
    rows = await connection.fetch(TAKEN, ids, sequence_hashes)
    return Taken(digests={row[0]: row[1] for row in rows}, ids={row[2]: row[0] for row in rows if row[2]})


def _check_refs(service: Service, refs: set[Ref], messages: Iterable[Message]) -> None:
    missing: dict[str, set[Ref]] = {}
    for message in messages:
        if more := uncovered(refs_of(service, message), refs):
            missing.setdefault(str(message.entity), set()).update(more)
    if missing:
        raise MoreNeeded(missing)


def _remove_repeats(
    work: UnitOfWork, messages: Iterable[Message], poisons: Iterable[Poison], taken: Taken
) -> list[Message]:
    """Return the messages that are new. A repeat has a known id and digest.

    A known id with another digest is forged. A known sequence with another id means that the source lost what it had
    published. Neither is applied; both become dead letters.
    """
    digests, ids = dict(taken.digests), dict(taken.ids)
    fresh: list[Message] = []
    for message in messages:
        known = digests.get(message.inbox_id) if message.record else None
        if known is not None and known == message.digest:
            work.duplicates += 1
        elif known is not None:
            _add_poisoned(work, message, *ID_REUSED)
        elif (
            message.sequence_hash
            and ids.setdefault(message.sequence_hash, message.inbox_id) != message.inbox_id
        ):
            _add_poisoned(work, message, *SEQUENCE_REUSED)
        elif untimely := _untimely(message, work.now):
            _add_poisoned(work, message, *untimely)
        else:
            digests[message.inbox_id] = message.digest
            fresh.append(message)
    for bad in poisons:
        if bad.inbox_id in digests:
            work.duplicates += 1
        else:
            digests[bad.inbox_id] = b""
            work.give_up(bad)
    return fresh


def _untimely(message: Message, now: datetime) -> tuple[str, str] | None:
    """Return the code and the reason if an event names an instant out of the bounds of its source, else None."""
    if message.record is None or not isinstance(message.body, Event):
        return None
    try:
        check_times(message.body, now)
    except BadEvent as bad:
        return bad.code, bad.reason
    return None


def _add_poisoned(work: UnitOfWork, message: Message, code: str, detail: str) -> None:
    if message.record is not None:
        bad = poison(message.record, code, detail, subject=message.subject)
        work.poisoned.append((message, bad))


async def _refuse_unfit(connection: Any, work: UnitOfWork) -> None:
    """Make messages dead letters that would exceed the bounds of `parked`.

    They are not noted as taken, so that they can be retried.
    """
    unfit = await parked_messages.unfit(connection, work)
    if unfit:
        work.unpark_new([row for row, _ in unfit])
        await _give_up(connection, work, [bad for _, bad in unfit])


async def _give_up(connection: Any, work: UnitOfWork, poisons: Sequence[Poison]) -> None:
    """Make records dead letters, once. A redelivery is known by its position. A retried one is given up again."""
    known = set((await _load_taken(connection, [bad.inbox_id for bad in poisons], [])).digests)
    for bad in poisons:
        if bad.inbox_id not in known:
            known.add(bad.inbox_id)
            work.give_up(bad)
        elif id(bad.record) in work.retried:
            work.dead_letters.append(NewLetter(bad.code, bad.detail, bad.record, subject=bad.subject))
        else:
            work.duplicates += 1


def _decide(
    queues: EntityQueues,
    entities: Iterable[str],
    messages: Iterable[Message],
    rows: Iterable[ParkedMessage],
) -> None:
    for row in rows:
        queues.add_parked(row)
    for entity in entities:
        queues.open(entity)
    for message in messages:
        queues.take(message)
    queues.finish()
