"""The invariants I1 to I8. Each is a pure function of the ledger and the evidence, and returns the violations.

Source: the fault matrix. The evidence is gathered once all is idle.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from faults import event_groups
from faults.axes import differing_axes
from faults.evidence import Evidence, ServiceData
from faults.ledger import Expected, Ledger
from faults.violation import Violation, disordered, doubled, lost, wrong

from didflow_chassis.stage.messages import event_id_hash
from didflow_contracts import events as e
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, topics_read_by

Check = Callable[[Ledger, Evidence], Iterator[Violation]]

CheckInvariants = Callable[..., Awaitable[Evidence]]
"""`await check_invariants(installation, *clients)`: wait until all is idle, then fail with all violations."""

ACTIVATED_WITH: Final[Mapping[str | None, str]] = {
    "not_required": "verification.not_required",
    "approved": "verification.approved",
}
"""Registration with which a DID is activated -> the topic that reports it."""

EVERY_PURCHASE: Final[Mapping[str, tuple[str, ...]]] = {
    "inventory": ("did.changed",),
    "billing": ("term.changed", "ledger.posted"),
}
"""Service -> the topics to which it publishes at least one event for every accepted purchase."""


def violations(ledger: Ledger, evidence: Evidence) -> list[Violation]:
    """Return all violations. The list is empty if every invariant holds."""
    return [violation for check in CHECKS for violation in check(ledger, evidence)]


def i1_acknowledged(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each ledger entry has its state and its events, and each event is in the inbox of all its readers."""
    published = event_groups.topics_of(evidence)
    for expected in ledger.expected().values():
        did_id = UUID(expected.did_id)
        for name, data in evidence.services.items():
            if did_id not in data.states:
                yield lost("I1", f"{name} has no state of {expected.number} {did_id}")
                continue
            for topic in EVERY_PURCHASE.get(name, ()):
                if topic not in published[did_id]:
                    yield lost("I1", f"{name} has not published {topic} of {expected.number} {did_id}")
            yield from _changes(name, expected, data.states[did_id].state)
        if set(evidence.services) == set(SERVICES) and expected.registration in ACTIVATED_WITH:
            yield from _activated(expected, published[did_id])
    yield from _received(evidence)


def i2_committed(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each event has committed state: the row of its entity counts its sequence. Each sequence has one event."""
    for (name, did_id), ids_by_sequence in event_groups.by_sequence(evidence).items():
        row = evidence.services[name].states.get(did_id)
        counted = row.sequence if row else 0
        for sequence, ids in sorted(ids_by_sequence.items()):
            if sequence > counted:
                yield wrong(
                    "I2", f"{name} published sequence {sequence} of {did_id}, whose row counts {counted}"
                )
            if len(ids) > 1:
                yield doubled(
                    "I2", f"{name} published sequence {sequence} of {did_id} as {len(ids)} different events"
                )
    command_ids = {
        str(command_id) for ids in event_groups.commands_by_action(evidence).values() for command_id in ids
    }
    for entry in ledger.of("carrier"):
        if entry.key not in command_ids:
            yield wrong("I2", f"a carrier executed command {entry.key}, which was not published")


def i3_applied_once(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each (consumer, event id) is applied once: it is published once and causes each effect once."""
    for name, data in evidence.services.items():
        counts = Counter((row.source, row.event_id) for row in data.history)
        for (source, event_id), times in counts.items():
            if times > 1:
                yield doubled("I3", f"{name}'s history has {source} {event_id} {times} times")
    for (source, cause, what, did_id), ids in event_groups.by_cause(evidence).items():
        if len(ids) > 1:
            yield doubled("I3", f"{source} published {what} of {did_id} {len(ids)} times because of {cause}")
    for (did_id, action), command_ids in event_groups.commands_by_action(evidence).items():
        if action == "activate" and len(command_ids) > 1:
            yield doubled("I3", f"{did_id} has {len(command_ids)} carrier commands with the action activate")


def i4_in_order(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Without repeats, the sequences of each number rise on each topic, and no sequence of a source is missing."""
    last: dict[tuple[str, str, UUID], int] = {}
    for published in event_groups.without_repeats(evidence.records):
        if published.event.sequence is not None:
            place = (published.topic, published.event.source, published.did_id)
            if published.event.sequence < last.get(place, 0):
                yield disordered(f"{place} has sequence {published.event.sequence} after {last[place]}")
            last[place] = max(published.event.sequence, last.get(place, 0))
    yield from _history_in_order(evidence)
    ids_by_sequence = event_groups.by_sequence(evidence)
    for name, data in evidence.services.items():
        for did_id, row in data.states.items():
            missing = set(range(1, row.sequence + 1)) - ids_by_sequence[name, did_id].keys()
            if missing:
                yield lost("I4", f"{name} has not published the sequences {sorted(missing)} of {did_id}")


def i5_idle(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Outboxes are empty, no parked message is overdue, and all records are read."""
    for unfinished_work in evidence.unfinished_work:
        yield lost("I5", unfinished_work)
    for name, data in evidence.services.items():
        if data.outbox:
            yield lost("I5", f"{name} has {data.outbox} rows to publish")
        if data.overdue:
            yield lost("I5", f"{name} has {data.overdue} parked messages that are overdue")
        if data.parked.get("early") and set(evidence.services) == set(SERVICES):
            yield lost("I5", f"{name} still has {data.parked['early']} parked messages that are too early")


def i6_dead_letters(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each poison is one dead letter of each of its readers, with its reason and origin. There are no others."""
    poison = [entry.values for entry in ledger.of("poison")]
    for name, data in evidence.services.items():
        read = {topic.name for topic in topics_read_by(name)}
        required = Counter(
            (p["reason"], (p["topic"], p["partition"], p["offset"])) for p in poison if p["topic"] in read
        )
        found = Counter((letter.reason, letter.origin) for letter in data.dead_letters)
        yield from _compared(f"{name}'s dead letters", required, found)
        copies = Counter(dict.fromkeys(((c.reason, c.origin) for c in evidence.copies.get(name, ())), 1))
        yield from _compared(f"copies on {DEAD_LETTER_TOPICS[name]}", required, copies)


def i7_money(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """The ledger entries of billing add up to the price of the purchases, and each entry was published once."""
    billing = evidence.services.get("billing")
    if billing is None:
        return
    billed: dict[UUID, Decimal] = defaultdict(Decimal)
    for entry in billing.ledger:
        billed[entry["did_id"]] += entry["amount"]
    for expected in ledger.expected().values():
        found = billed[UUID(expected.did_id)]
        if found != expected.cost:
            harm = doubled if found > expected.cost else lost
            yield harm("I7", f"{expected.number} was billed {found}, not {expected.cost}")
    published_ids = {
        published.event.data.entry_id for published in event_groups.of_type(evidence, e.LedgerPosted)
    }
    entry_ids = {entry["entry_id"] for entry in billing.ledger}
    if published_ids != entry_ids:
        missing, unpublished = len(published_ids - entry_ids), len(entry_ids - published_ids)
        yield wrong(
            "I7",
            f"{missing} published entries without a ledger entry, {unpublished} not published",
        )


def i8_axes(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """The four axes computed from events equal those that their owners and inventory have stored."""
    for text in differing_axes(evidence):
        yield wrong("I8", text)


CHECKS: Final[tuple[Check, ...]] = (
    i1_acknowledged,
    i2_committed,
    i3_applied_once,
    i4_in_order,
    i5_idle,
    i6_dead_letters,
    i7_money,
    i8_axes,
)


def _activated(expected: Expected, published: set[str]) -> Iterator[Violation]:
    """A registered DID is active at its carrier. A canceled DID may have been canceled before its activation."""
    also_required = () if expected.canceled else ("did.activated",)
    for topic in (ACTIVATED_WITH[expected.registration], *also_required):
        if topic not in published:
            yield lost("I1", f"{topic} of {expected.number} {expected.did_id} was not published")


def _changes(name: str, expected: Expected, state: Any) -> Iterator[Violation]:
    """Compare the last acknowledged change of each kind with what its service has stored."""
    pairs: list[tuple[str, Any, Any]] = []
    if name == "billing":
        ended = state.state == "canceled"
        pairs = [("cycles", expected.cycles, state.cycles_left), ("canceled", expected.canceled, ended)]
    elif name == "verification" and expected.registration:
        pairs = [("registration", expected.registration, state.state)]
    elif name == "provisioning":
        voice = str(state.voice.delivery.id) if state.voice else None
        pairs = [("voice", expected.voice, voice), ("capacity", expected.capacity, state.capacity)]
    for what, required, found in pairs:
        if required != found:
            yield lost(
                "I1", f"{name} has {what} {found} of {expected.did_id}, not {required} as acknowledged"
            )


def _received(evidence: Evidence) -> Iterator[Violation]:
    """Every event is in the inbox of every service that reads its topic."""
    for name, data in evidence.services.items():
        read = {topic.name for topic in topics_read_by(name)}
        missing = {
            published.id
            for published in evidence.records
            if published.topic in read and event_id_hash(*published.id) not in data.inbox
        }
        for source, event_id in sorted(missing):
            yield lost("I1", f"{event_id} of {source} is not in the inbox of {name}")


def _history_in_order(evidence: Evidence) -> Iterator[Violation]:
    """In inventory's history, the sequences of each event type, source and DID rise."""
    data: ServiceData | None = evidence.services.get("inventory")
    last: dict[tuple[UUID, str, str], int] = {}
    for row in data.history if data else ():
        if row.sequence is not None:
            place = (row.did_id, row.type, row.source)
            if row.sequence < last.get(place, 0):
                yield disordered(f"inventory recorded sequence {row.sequence} of {place} after {last[place]}")
            last[place] = row.sequence


def _compared(what: str, required: Counter[Any], found: Counter[Any]) -> Iterator[Violation]:
    for item in required - found:
        yield lost("I6", f"{what}: {item} is missing")
    for item in found - required:
        harm = doubled if item in required else wrong
        yield harm("I6", f"{what}: {item} was not expected")
