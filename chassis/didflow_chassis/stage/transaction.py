"""One attempt at a batch, inside one transaction: lock, dedupe, load, decide, save.

The first locking statement takes every key of the batch, distinct and sorted, and reads the time.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from didflow_chassis.database import Rejected, Transient
from didflow_chassis.service import Ref, Service
from didflow_chassis.stage import sql
from didflow_chassis.stage.batch import MAX_LOCKS, Batch, required_refs
from didflow_chassis.stage.breaker import Breaker
from didflow_chassis.stage.deciding import Deciding
from didflow_chassis.stage.events import Emitter
from didflow_chassis.stage.folding import fold
from didflow_chassis.stage.lanes import Waiter
from didflow_chassis.stage.letters import add_poison
from didflow_chassis.stage.loading import load_seen, load_states, load_waiters
from didflow_chassis.stage.messages import Decoder, Message, Poison
from didflow_chassis.stage.saving import save
from didflow_chassis.stage.work import DeadLetter, MoreNeeded, Work, lock_number, locks_of, uncovered


class TooWide(Rejected):
    """The batch would take more locks than one transaction may: it is halved."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same from batch to batch."""

    service: Service
    decoder: Decoder
    breaker: Breaker


async def attempt(
    connection: Any, setting: Setting, batch: Batch, refs: set[Ref], emitter: Emitter
) -> tuple[list[Message], Work]:
    """Take a batch as far as the commit. Raises MoreNeeded, Transient, Rejected or the database's errors."""
    service, decoder = setting.service, setting.decoder
    messages = [message.begin() for message in batch.messages]
    now, busy = await _lock(connection, service, batch, refs)
    if busy:
        messages = _free(messages, busy)
    work = Work(service, now, frozenset(refs), writable=frozenset((r.model, r.key) for r in refs if r.write))
    await load_states(connection, service, work, refs)
    opened = batch.entities() if not busy else [str(m.entity) for m in messages]
    waiters, loose = await load_waiters(connection, service, decoder, opened, list(batch.bare))
    freed = _loose(work, loose)
    if freed:
        behind = {str(message.entity) for message in freed}.difference(opened)
        waiters += (await load_waiters(connection, service, decoder, list(behind), []))[0]
    messages += freed
    ids, spots = batch.inbox_ids(), [m.spot for m in messages if m.spot]
    seen = await load_seen(connection, ids + [message.inbox_id for message in freed], spots)
    _check_covered(service, refs, [*(waiter.message for _, waiter in waiters), *freed])
    fresh = fold(work, messages, batch.poisons, seen)
    if work.reused:
        await _quarantine(connection, work)
    began = time.perf_counter()
    _decide(work, emitter, batch, fresh, waiters)
    work.decided_at = time.perf_counter()
    work.decided_s = work.decided_at - began
    await save(connection, work, emitter.prefix)
    if batch.origin == "kafka":
        work.failures = setting.breaker.judge(fresh)
    return messages, work


async def _lock(connection: Any, service: Service, batch: Batch, refs: set[Ref]) -> tuple[Any, set[int]]:
    locks = locks_of(service, refs)
    for subject in batch.opened.values():
        locks[lock_number(subject)] = True
    locks = dict(sorted(locks.items()))
    if len(locks) > MAX_LOCKS and batch.size > 1:
        raise TooWide(f"{len(locks)} locks")
    statement = sql.TRY_LOCK if batch.struck else sql.LOCK
    now, busy = await connection.fetchrow(statement, list(locks), list(locks.values()))
    return now, set(busy or ()) if batch.struck else set()


def _free(messages: list[Message], busy: set[int]) -> list[Message]:
    """Keep those whose own lock was got; where anything else is busy, the whole batch waits for next time."""
    own = {lock_number(message.subject) for message in messages if message.subject}
    if not busy <= own:
        raise Transient("a state that the clock needs is busy")
    return [message for message in messages if lock_number(message.subject) not in busy]


def _loose(work: Work, loose: Iterable[Message | Poison]) -> list[Message]:
    """Take up rows that belong to no entity: retried dead letters, which may decode now or not."""
    messages: list[Message] = []
    for one in loose:
        if isinstance(one, Poison):
            add_poison(work, one)
        elif one.parked_id is not None:
            work.unparked.append(one.parked_id)
            messages.append(replace(one, parked_id=None, attempts=0))
    return messages


def _check_covered(service: Service, refs: set[Ref], messages: Iterable[Message]) -> None:
    missing = uncovered(required_refs(service, messages), refs)
    if missing:
        raise MoreNeeded(missing)


async def _quarantine(connection: Any, work: Work) -> None:
    """Dead-letter what was forged or forgotten, once: a redelivery is known by its place, a retry stays a letter."""
    seen = await load_seen(connection, [forged.inbox_id for _, forged in work.reused], [])
    known = set(seen.digests)
    for message, forged in work.reused:
        if forged.inbox_id not in known:
            known.add(forged.inbox_id)
            add_poison(work, forged)
        elif message.waits_as:
            work.dead.append(DeadLetter(forged.code, forged.detail, forged.record))
        else:
            work.duplicates += 1


def _decide(
    work: Work, emitter: Emitter, batch: Batch, messages: list[Message], waiters: list[tuple[str, Waiter]]
) -> None:
    deciding = Deciding(work, emitter, batch.rejected)
    for entity, waiter in waiters:
        deciding.wait(entity, waiter)
    for entity in batch.opened:
        deciding.open(entity)
    for message in messages:
        deciding.take(message)
    deciding.finish()
