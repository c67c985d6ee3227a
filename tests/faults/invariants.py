"""I1 to I8. Each is a pure function of what was acknowledged and what is there, and returns the violations.

Source: the fault matrix. The functions judge evidence that was gathered once all was idle. They read nothing.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from faults import groups
from faults.axes import differing
from faults.evidence import Evidence, Facts
from faults.ledger import Expected, Ledger
from faults.violation import Violation, disordered, doubled, lost, wrong

from didflow_chassis.stage.messages import event_id_hash
from didflow_contracts import events as e
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, topics_read_by

Check = Callable[[Ledger, Evidence], Iterator[Violation]]

Judge = Callable[..., Awaitable[Evidence]]
"""`await judge(installation, *oracles)`: wait for quiet, then fail with every violation of I1 to I8."""

SERVED: Final[Mapping[str | None, str]] = {
    "not_required": "verification.not_required",
    "approved": "verification.approved",
}
"""Registration -> how it was said, for those that a carrier then serves."""

EVERY_PURCHASE: Final[Mapping[str, tuple[str, ...]]] = {
    "inventory": ("did.changed",),
    "billing": ("term.changed", "ledger.posted"),
}
"""Service -> what it says of every purchase that was taken, at least once each."""


def violations(ledger: Ledger, evidence: Evidence) -> list[Violation]:
    """Return all violations; empty if all is as promised."""
    return [violation for check in CHECKS for violation in check(ledger, evidence)]


def i1_acknowledged(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each ledger entry has its state and its events, and all readers have taken each event."""
    said = groups.topics_of(evidence)
    for expected in ledger.expected().values():
        did_id = UUID(expected.did_id)
        for name, facts in evidence.services.items():
            if did_id not in facts.states:
                yield lost("I1", f"{name} has no state of {expected.number} {did_id}")
                continue
            for topic in EVERY_PURCHASE.get(name, ()):
                if topic not in said[did_id]:
                    yield lost("I1", f"{name} never said {topic} of {expected.number} {did_id}")
            yield from _changes(name, expected, facts.states[did_id].state)
        if set(evidence.services) == set(SERVICES) and expected.registration in SERVED:
            yield from _activated(expected, said[did_id])
    yield from _taken(evidence)


def i2_no_ghosts(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """No event without committed state: the row of its entity has counted each event, and there is no other."""
    for (name, did_id), numbered in groups.numbered(evidence).items():
        row = evidence.services[name].states.get(did_id)
        counted = row.sequence if row else 0
        for sequence, ids in sorted(numbered.items()):
            if sequence > counted:
                yield wrong("I2", f"{name} said {sequence} of {did_id}, whose row counts {counted}")
            if len(ids) > 1:
                yield doubled("I2", f"{name} said {sequence} of {did_id} as {len(ids)} different events")
    tokens = {str(token) for some in groups.commands_by_action(evidence).values() for token in some}
    for entry in ledger.of("carrier"):
        if entry.key not in tokens:
            yield wrong("I2", f"a carrier was asked under {entry.key}, which nobody ordered")


def i3_applied_once(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each (consumer, event id) is applied once: it is published once and causes each effect once."""
    for name, facts in evidence.services.items():
        told = Counter((heard.source, heard.event_id) for heard in facts.history)
        for (source, event_id), times in told.items():
            if times > 1:
                yield doubled("I3", f"{name}'s history tells {source} {event_id} {times} times")
    for (source, cause, what, did_id), ids in groups.caused(evidence).items():
        if len(ids) > 1:
            yield doubled("I3", f"{source} said {what} of {did_id} {len(ids)} times because of {cause}")
    for (did_id, action), tokens in groups.commands_by_action(evidence).items():
        if action == "activate" and len(tokens) > 1:
            yield doubled("I3", f"{did_id} was ordered to be activated by {len(tokens)} tokens")


def i4_in_order(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Per number and topic, sequences rise after dedupe, and there is no gap over the topics of a source."""
    last: dict[tuple[str, str, UUID], int] = {}
    for said in groups.firsts(evidence.records):
        if said.event.sequence is not None:
            place = (said.topic, said.event.source, said.did_id)
            if said.event.sequence < last.get(place, 0):
                yield disordered(f"{place} says {said.event.sequence} after {last[place]}")
            last[place] = max(said.event.sequence, last.get(place, 0))
    yield from _history_in_order(evidence)
    numbered = groups.numbered(evidence)
    for name, facts in evidence.services.items():
        for did_id, row in facts.states.items():
            missing = set(range(1, row.sequence + 1)) - numbered[name, did_id].keys()
            if missing:
                yield lost("I4", f"{name} never said {sorted(missing)} of {did_id}")


def i5_at_rest(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Outboxes are empty, no parked message is overdue, and all records are read."""
    for unrest in evidence.unrest:
        yield lost("I5", unrest)
    for name, facts in evidence.services.items():
        if facts.outbox:
            yield lost("I5", f"{name} has {facts.outbox} rows to publish")
        if facts.overdue:
            yield lost("I5", f"{name} has {facts.overdue} parked messages that are overdue")
        if facts.parked.get("early") and set(evidence.services) == set(SERVICES):
            yield lost("I5", f"{name} still waits for what {facts.parked['early']} early messages need")


def i6_dead_letters(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each poison is a dead letter of each of its readers once, with its cause and origin, and there is no other."""
    poison = [entry.said for entry in ledger.of("poison")]
    for name, facts in evidence.services.items():
        read = {topic.name for topic in topics_read_by(name)}
        wanted = Counter(
            (p["reason"], (p["topic"], p["partition"], p["offset"])) for p in poison if p["topic"] in read
        )
        found = Counter((letter.reason, letter.origin) for letter in facts.letters)
        yield from _compared(f"{name}'s dead letters", wanted, found)
        copies = Counter(dict.fromkeys(((c.reason, c.origin) for c in evidence.copies.get(name, ())), 1))
        yield from _compared(f"copies on {DEAD_LETTER_TOPICS[name]}", wanted, copies)


def i7_money(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """The ledger's lines add up to the purchases, and each was posted once."""
    billing = evidence.services.get("billing")
    if billing is None:
        return
    billed: dict[UUID, Decimal] = defaultdict(Decimal)
    for line in billing.ledger:
        billed[line["did_id"]] += line["amount"]
    for expected in ledger.expected().values():
        found = billed[UUID(expected.did_id)]
        if found != expected.cost:
            harm = doubled if found > expected.cost else lost
            yield harm("I7", f"{expected.number} was billed {found}, not {expected.cost}")
    posted = {said.event.data.entry_id for said in groups.of(evidence, e.LedgerPosted)}
    lines = {line["entry_id"] for line in billing.ledger}
    if posted != lines:
        yield wrong("I7", f"{len(posted - lines)} posted without a line, {len(lines - posted)} not posted")


def i8_axes(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """The four axes computed from events equal those that their owners and inventory's view have stored."""
    for words in differing(evidence):
        yield wrong("I8", words)


CHECKS: Final[tuple[Check, ...]] = (
    i1_acknowledged,
    i2_no_ghosts,
    i3_applied_once,
    i4_in_order,
    i5_at_rest,
    i6_dead_letters,
    i7_money,
    i8_axes,
)


def _activated(expected: Expected, said: set[str]) -> Iterator[Violation]:
    """A registered DID is active at its carrier. A DID that was canceled may have been canceled before."""
    served = () if expected.canceled else ("did.activated",)
    for topic in (SERVED[expected.registration], *served):
        if topic not in said:
            yield lost("I1", f"nobody said {topic} of {expected.number} {expected.did_id}")


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
    for what, wanted, found in pairs:
        if wanted != found:
            yield lost("I1", f"{name} has {what} {found} of {expected.did_id}, not {wanted} as acknowledged")


def _taken(evidence: Evidence) -> Iterator[Violation]:
    """Every event is in the inbox of every service that reads its topic."""
    for name, facts in evidence.services.items():
        read = {topic.name for topic in topics_read_by(name)}
        missing = {
            said.id
            for said in evidence.records
            if said.topic in read and event_id_hash(*said.id) not in facts.inbox
        }
        for source, event_id in sorted(missing):
            yield lost("I1", f"{name} never took {event_id} of {source}")


def _history_in_order(evidence: Evidence) -> Iterator[Violation]:
    """For one type, source and DID, sequences rise in inventory's history too."""
    facts: Facts | None = evidence.services.get("inventory")
    last: dict[tuple[UUID, str, str], int] = {}
    for heard in facts.history if facts else ():
        if heard.sequence is not None:
            place = (heard.did_id, heard.type, heard.source)
            if heard.sequence < last.get(place, 0):
                yield disordered(f"inventory took {heard.sequence} of {place} after {last[place]}")
            last[place] = heard.sequence


def _compared(what: str, wanted: Counter[Any], found: Counter[Any]) -> Iterator[Violation]:
    for one in wanted - found:
        yield lost("I6", f"{what} lack {one}")
    for one in found - wanted:
        harm = doubled if one in wanted else wrong
        yield harm("I6", f"{what} have {one} and should not")
