"""I1 to I8, each a pure function of what was acknowledged and what is there, answering with what is wrong.

Source: the fault matrix. Nothing here reads or waits: it judges evidence taken after quiet.
"""

from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal
from uuid import UUID

from faults.axes import differing
from faults.evidence import Evidence, Facts, Said
from faults.ledger import Expected, Ledger

from didflow_chassis.stage.messages import event_id_hash
from didflow_contracts import events as e
from didflow_contracts.topics import DEAD_LETTER_TOPICS, SERVICES, SOURCES, topics_read_by

Harm = Literal["lost", "doubled", "out of order", "wrong"]


@dataclass(frozen=True, kw_only=True)
class Violation:
    """One thing that is not as promised, in words."""

    invariant: str
    harm: Harm
    words: str

    def __str__(self) -> str:
        """Put it on one line."""
        return f"{self.invariant} {self.harm}: {self.words}"


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
    """Name everything that is not as promised; nothing when all is well."""
    return [wrong for check in CHECKS for wrong in check(ledger, evidence)]


def i1_acknowledged(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each ledger entry has its state and its events, and each event was taken by all who read it."""
    said = _topics_of(evidence)
    for expected in ledger.expected().values():
        did_id = UUID(expected.did_id)
        for name, facts in evidence.services.items():
            if did_id not in facts.states:
                yield _lost("I1", f"{name} has no state of {expected.number} {did_id}")
                continue
            for topic in EVERY_PURCHASE.get(name, ()):
                if topic not in said[did_id]:
                    yield _lost("I1", f"{name} never said {topic} of {expected.number} {did_id}")
            yield from _wishes(name, expected, facts.states[did_id].state)
        if set(evidence.services) == set(SERVICES) and expected.registration in SERVED:
            yield from _activated(expected, said[did_id])
    yield from _taken(evidence)


def i2_no_ghosts(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """No event without committed state: each is one that its entity's row has counted, and the only one."""
    for (name, did_id), numbered in _numbered(evidence).items():
        row = evidence.services[name].states.get(did_id)
        counted = row.sequence if row else 0
        for sequence, ids in sorted(numbered.items()):
            if sequence > counted:
                yield _wrong("I2", f"{name} said {sequence} of {did_id}, whose row counts {counted}")
            if len(ids) > 1:
                yield _doubled("I2", f"{name} said {sequence} of {did_id} as {len(ids)} different events")


def i3_applied_once(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each (consumer, event id) is applied once: it is told once, and it causes each thing once."""
    for name, facts in evidence.services.items():
        told = Counter((heard.source, heard.event_id) for heard in facts.history)
        for (source, event_id), times in told.items():
            if times > 1:
                yield _doubled("I3", f"{name}'s history tells {source} {event_id} {times} times")
    for (source, cause, what, did_id), ids in _caused(evidence).items():
        if len(ids) > 1:
            yield _doubled("I3", f"{source} said {what} of {did_id} {len(ids)} times because of {cause}")
    for did_id, orders in _activations(evidence).items():
        if len(orders) > 1:
            yield _doubled("I3", f"{did_id} was ordered to be activated by {len(orders)} tokens")


def i4_in_order(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Versions rise for each number and topic after dedupe, and there is no gap over a source's topics."""
    last: dict[tuple[str, str, UUID], int] = {}
    for said in _firsts(evidence.records):
        if said.event.sequence is not None:
            place = (said.topic, said.event.source, said.did_id)
            if said.event.sequence < last.get(place, 0):
                yield _disordered(f"{place} says {said.event.sequence} after {last[place]}")
            last[place] = max(said.event.sequence, last.get(place, 0))
    yield from _told_in_order(evidence)
    numbered = _numbered(evidence)
    for name, facts in evidence.services.items():
        for did_id, row in facts.states.items():
            missing = set(range(1, row.sequence + 1)) - numbered[name, did_id].keys()
            if missing:
                yield _lost("I4", f"{name} never said {sorted(missing)} of {did_id}")


def i5_at_rest(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Outboxes are empty, nothing parked is overdue, everything is read."""
    for unrest in evidence.unrest:
        yield _lost("I5", unrest)
    for name, facts in evidence.services.items():
        if facts.outbox:
            yield _lost("I5", f"{name} has {facts.outbox} rows to publish")
        if facts.overdue:
            yield _lost("I5", f"{name} has {facts.overdue} parked messages that are overdue")
        if facts.parked.get("early") and set(evidence.services) == set(SERVICES):
            yield _lost("I5", f"{name} still waits for what {facts.parked['early']} early messages need")


def i6_dead_letters(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """Each poison is a dead letter of each of its readers, once, with cause and origin; nothing else is."""
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
    """The ledger's lines add up to what was ordered, and each was posted once."""
    billing = evidence.services.get("billing")
    if billing is None:
        return
    billed: dict[UUID, Decimal] = defaultdict(Decimal)
    for line in billing.ledger:
        billed[line["did_id"]] += line["amount"]
    for expected in ledger.expected().values():
        found = billed[UUID(expected.did_id)]
        if found != expected.cost:
            harm = _doubled if found > expected.cost else _lost
            yield harm("I7", f"{expected.number} was billed {found}, not {expected.cost}")
    posted = {said.event.data.entry_id for said in _of(evidence, e.LedgerPosted)}
    lines = {line["entry_id"] for line in billing.ledger}
    if posted != lines:
        yield _wrong("I7", f"{len(posted - lines)} posted without a line, {len(lines - posted)} not posted")


def i8_axes(ledger: Ledger, evidence: Evidence) -> Iterator[Violation]:
    """The four axes recomputed from events equal what their owners and the projection have stored."""
    for words in differing(evidence):
        yield _wrong("I8", words)


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


def _lost(invariant: str, words: str) -> Violation:
    return Violation(invariant=invariant, harm="lost", words=words)


def _doubled(invariant: str, words: str) -> Violation:
    return Violation(invariant=invariant, harm="doubled", words=words)


def _wrong(invariant: str, words: str) -> Violation:
    return Violation(invariant=invariant, harm="wrong", words=words)


def _disordered(words: str) -> Violation:
    return Violation(invariant="I4", harm="out of order", words=words)


def _topics_of(evidence: Evidence) -> Mapping[UUID, set[str]]:
    found: dict[UUID, set[str]] = defaultdict(set)
    for said in evidence.records:
        found[said.did_id].add(said.topic)
    return found


def _activated(expected: Expected, said: set[str]) -> Iterator[Violation]:
    """A registered DID is in service; one that was canceled may have been so before it came to that."""
    served = () if expected.canceled else ("did.activated",)
    for topic in (SERVED[expected.registration], *served):
        if topic not in said:
            yield _lost("I1", f"nobody said {topic} of {expected.number} {expected.did_id}")


def _wishes(name: str, expected: Expected, state: Any) -> Iterator[Violation]:
    """Compare the last of each acknowledged wish with what its service has stored."""
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
            yield _lost("I1", f"{name} has {what} {found} of {expected.did_id}, not {wanted} as acknowledged")


def _taken(evidence: Evidence) -> Iterator[Violation]:
    """Every event is in the inbox of everybody who reads its topic."""
    for name, facts in evidence.services.items():
        read = {topic.name for topic in topics_read_by(name)}
        missing = {
            said.id
            for said in evidence.records
            if said.topic in read and event_id_hash(*said.id) not in facts.inbox
        }
        for source, event_id in sorted(missing):
            yield _lost("I1", f"{name} never took {event_id} of {source}")


def _numbered(evidence: Evidence) -> defaultdict[tuple[str, UUID], dict[int, set[str]]]:
    """Group what our services said: (service, DID) -> sequence -> event ids."""
    names = {source: name for name, source in SOURCES.items()}
    found: defaultdict[tuple[str, UUID], dict[int, set[str]]] = defaultdict(dict)
    for said in evidence.records:
        name = names.get(said.event.source, "")
        if name in evidence.services and said.event.sequence is not None:
            found[name, said.did_id].setdefault(said.event.sequence, set()).add(said.event.id)
    return found


def _caused(evidence: Evidence) -> Mapping[tuple[str, str, str, UUID], set[str]]:
    """Group by what caused it: (source, cause, what, DID) -> event ids. What the clock did has no cause."""
    found: dict[tuple[str, str, str, UUID], set[str]] = defaultdict(set)
    for said in evidence.records:
        cause = said.event.causationid
        if cause is not None and said.event.source in SOURCES.values():
            what = f"{said.topic} {getattr(said.event.data, 'kind', '')}".strip()
            found[said.event.source, cause, what, said.did_id].add(said.event.id)
    return found


def _activations(evidence: Evidence) -> Mapping[UUID, set[UUID]]:
    found: dict[UUID, set[UUID]] = defaultdict(set)
    for said in _of(evidence, e.CommandIssued):
        if said.event.data.action == "activate":
            found[said.did_id].add(said.event.data.command_id)
    return found


def _of(evidence: Evidence, model: type[Any]) -> Iterator[Said]:
    return (said for said in evidence.records if isinstance(said.event.data, model))


def _firsts(records: Iterable[Said]) -> Iterator[Said]:
    """Give each event where its topic says it first, each partition's in order."""
    seen: set[tuple[str, tuple[str, str]]] = set()
    for said in sorted(records, key=lambda one: one.place):
        if (said.topic, said.id) not in seen:
            seen.add((said.topic, said.id))
            yield said


def _told_in_order(evidence: Evidence) -> Iterator[Violation]:
    """What inventory's history tells of one type, source and DID, in the order taken, rises too."""
    facts: Facts | None = evidence.services.get("inventory")
    last: dict[tuple[UUID, str, str], int] = {}
    for heard in facts.history if facts else ():
        if heard.sequence is not None:
            place = (heard.did_id, heard.type, heard.source)
            if heard.sequence < last.get(place, 0):
                yield _disordered(f"inventory took {heard.sequence} of {place} after {last[place]}")
            last[place] = heard.sequence


def _compared(what: str, wanted: Counter[Any], found: Counter[Any]) -> Iterator[Violation]:
    for one in wanted - found:
        yield _lost("I6", f"{what} lack {one}")
    for one in found - wanted:
        harm = _doubled if one in wanted else _wrong
        yield harm("I6", f"{what} have {one} and should not")
