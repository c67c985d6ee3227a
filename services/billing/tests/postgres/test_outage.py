"""A clock that stood still for 400 days leaves the same events and entries as one that never stopped.

Both databases have the same terms of all kinds. In one of them the timers run each day. In the other the time jumps,
and two workers catch up. Compared are type, data and time of each event, and the entries, for each DID in their order.
DIDFLOW_OUTAGE is how often each kind of term is there; `make scale` has 520 terms.
"""

import asyncio
import os
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from harness.fixtures import OnPostgres
from msgspec.structs import replace as with_changes

from didflow_billing.domain.ledger import LedgerEntry
from didflow_billing.domain.term import Term
from didflow_billing.service import service
from didflow_billing.settings import BillingSettings
from didflow_chassis.decision import Command, Refused
from didflow_chassis.stage import entity_queue
from didflow_chassis.testing import ServiceOnPostgres
from didflow_contracts.envelope import Event
from didflow_contracts.ids import derived_id

SERVICE = service(BillingSettings.placeholder())
DAY = timedelta(days=1)
DAYS = 400
COPIES = int(os.environ.get("DIDFLOW_OUTAGE", "1"))
MONTHS = (1, 3, 6, 12)
FEW = 5
"""How many timers of one term may run in one transaction here, so that a term needs several of them."""

Message = Event[Any] | Command


@dataclass(frozen=True, kw_only=True)
class Kind:
    """Messages about a term: those of its first days by the day, and those that come after the outage."""

    first: Mapping[int, Callable[[Any], Sequence[Message]]]
    later: Callable[[Any], Sequence[Message]] = lambda _: ()


def bought(state: str | None, **changes: Any) -> Callable[[Any], Sequence[Message]]:
    """Return the messages of a purchase whose registration is in this state. None: verification has not answered."""

    def messages(make: Any) -> Sequence[Message]:
        registered = () if state is None else (make.registration(state),)
        return (make.purchased(**changes), make.did_changed(), *registered)

    return messages


def after(make: Any) -> datetime:
    """Return the instant after the outage at which live events say that they came about."""
    return make.zero + DAYS * DAY


def moved(make: Any) -> Sequence[Message]:
    return (make.did_changed(after(make), 2, account="master/acme/shop"),)


KINDS: Mapping[str, Kind] = {
    "unlimited": Kind(first={0: bought("not_required")}),
    "unlimited, moved": Kind(first={0: bought("approved")}, later=moved),
    "one cycle": Kind(first={0: bought("not_required", billing_cycles=1)}),
    "three cycles": Kind(
        first={0: bought("not_required", billing_cycles=3)}, later=lambda make: (make.set_cycles(7),)
    ),
    "last period": Kind(first={0: bought("not_required", billing_cycles=0)}),
    "canceled": Kind(first={0: bought("approved"), 10: lambda make: (make.cancel(),)}),
    "canceled and restored": Kind(
        first={
            0: bought("approved"),
            3: lambda make: (make.cancel(),),
            9: lambda make: (make.restore(),),
        },
        later=lambda make: (make.set_cycles(0),),
    ),
    "renewed early": Kind(first={0: bought("not_required"), 4: lambda make: (make.renew(6),)}, later=moved),
    "awaiting": Kind(first={0: bought("awaiting")}),
    "rejected": Kind(first={0: bought("rejected")}),
    "pending": Kind(first={0: bought("pending")}),
    "approved after a while": Kind(
        first={0: bought("pending"), 20: lambda make: (make.registration("approved", sequence=2),)}
    ),
    "unanswered until after the outage": Kind(
        first={0: bought(None)}, later=lambda make: (make.registration("not_required", after(make)),)
    ),
}


@dataclass(frozen=True, kw_only=True)
class Did:
    """One DID with its messages: the first ones by the day, and the later ones."""

    did_id: UUID
    first: Mapping[int, Sequence[Message]]
    later: Sequence[Message]


def dids(make: Any) -> list[Did]:
    """Return the DIDs: each kind with each billing period."""
    found = []
    cases = [(kind, months) for kind in KINDS.values() for months in MONTHS for _ in range(COPIES)]
    for n, (kind, months) in enumerate(cases):
        about = named(derived_id("outage", str(n)), f"+35319{600_000 + n}", months)
        first = {day: [about(message) for message in build(make)] for day, build in kind.first.items()}
        found.append(
            Did(
                did_id=derived_id("outage", str(n)),
                first=first,
                later=[about(message) for message in kind.later(make)],
            )
        )
    return found


def named(did_id: UUID, number: str, months: int) -> Callable[[Message], Message]:
    """Return the function that makes a message about this DID, whose billing period has so many months."""

    def about(message: Message) -> Message:
        if not isinstance(message, Event):
            return replace(message, entity_id=did_id, subject=number)
        changes = {"did_id": did_id, "number": number}
        if "price" in type(message.data).model_fields:
            changes["billing_period"] = months
        data = message.data.model_copy(update=changes)
        return with_changes(message, data=data, subject=number, raw_data=b"")

    return about


@pytest.fixture
async def punctual(on_postgres: OnPostgres, make: Any) -> ServiceOnPostgres:
    return await on_postgres(SERVICE, now=make.zero, caller=make.caller)


@pytest.fixture
async def late(on_postgres: OnPostgres, make: Any) -> ServiceOnPostgres:
    return await on_postgres(SERVICE, now=make.zero, caller=make.caller)


@pytest.fixture
async def second(late: ServiceOnPostgres, on_postgres: OnPostgres) -> Any:
    """Another worker on the database of the late clock."""
    async with ServiceOnPostgres.open(SERVICE, late.database.dsn, migrate=False) as opened:
        yield opened


async def test_a_clock_that_stood_still_for_400_days_gives_the_same_events_and_entries_in_the_same_order(
    punctual: ServiceOnPostgres,
    late: ServiceOnPostgres,
    second: ServiceOnPostgres,
    make: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was due is settled before live events and commands that come while two workers catch up.

    One transaction runs at most five timers of a term here, so live messages wait for the rest.
    """
    all_dids = dids(make)
    last = max(day for did in all_dids for day in did.first)
    for day in range(DAYS + 1):
        await punctual.set_time(make.zero + day * DAY)
        await run_timers(punctual)
        if day <= last:
            await late.set_time(make.zero + day * DAY)
            await run_timers(late)
            for billing in (punctual, late):
                await take(billing, [message for did in all_dids for message in did.first.get(day, ())])
    decided = await take(punctual, [message for did in all_dids for message in did.later])
    await run_timers(punctual)

    monkeypatch.setattr(entity_queue, "MAX_SETTLED", FEW)
    await late.set_time(make.zero + DAYS * DAY)
    assert await late.timers.run_due(size=10)
    decided_late, *_ = await asyncio.gather(
        take(second, [message for did in all_dids for message in did.later]),
        run_timers(late),
        run_timers(second),
    )
    await run_timers(late)

    assert await effects(late) == await effects(punctual)
    assert decided_late == decided
    assert {"Decided", "not_found"} <= set(decided)
    assert await late.parked() == await punctual.parked() == []
    assert await late.dead_letters() == []


async def run_timers(billing: ServiceOnPostgres) -> None:
    """Run chunk after chunk as a worker does, until nothing is due."""
    while await billing.timers.run_due() or await is_left(billing):
        pass


async def is_left(billing: ServiceOnPostgres) -> bool:
    now = await billing.now()
    rows = await billing.fetch(
        "SELECT EXISTS (SELECT FROM terms WHERE due_at <= $1) OR EXISTS (SELECT FROM parked WHERE due_at <= $1)",
        now,
    )
    return bool(rows[0][0])


async def take(billing: ServiceOnPostgres, messages: Sequence[Message]) -> list[str]:
    """Receive the events as one batch, then run the commands. One that must wait for timers is repeated.

    Return what was decided on the commands.
    """
    events = [message for message in messages if isinstance(message, Event)]
    if events:
        await billing.receive(*events)
    decided = []
    for command in messages:
        if not isinstance(command, Event):
            decision = await outcome(billing, command)
            while decision == "not_ready":
                await asyncio.sleep(0.01)
                decision = await outcome(billing, command)
            decided.append(decision)
    return decided


async def outcome(billing: ServiceOnPostgres, command: Command) -> str:
    """Run a command. Return its refusal, or the kind of its decision."""
    decision = await billing.run(command)
    return decision.code if isinstance(decision, Refused) else type(decision).__name__


async def effects(billing: ServiceOnPostgres) -> dict[UUID, dict[str, Any]]:
    """Return for each DID its term, its events and its entries, in order."""
    found: defaultdict[UUID, dict[str, Any]] = defaultdict(lambda: {"events": [], "entries": []})
    for event in await billing.published():
        found[event.data.did_id]["events"].append((event.type, event.data, exact(event.time), event.sequence))
    for entry in sorted(await billing.rows(LedgerEntry), key=lambda entry: entry.position):
        found[entry.did_id]["entries"].append(with_changes(entry, posted_at=exact(entry.posted_at)))
    for term in await billing.states(Term):
        found[term.did_id]["term"] = with_changes(term, changed_at=term.changed_at and exact(term.changed_at))
    return dict(found)


def exact(instant: datetime) -> datetime:
    """Return the instant of a timer as it is, and the hour of a message: its microseconds differ from run to run."""
    return instant if not instant.microsecond else instant.replace(minute=0, second=0, microsecond=0)
