"""The batch in memory: loaded states, what the decisions made of them, and what is to be written.

Locks are named here: everything of one ordering subject has one lock, other states have one each.
"""

from collections import Counter
from collections.abc import Hashable, Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from msgspec import Struct

from didflow_chassis.decision import Known
from didflow_chassis.service import Ref, Service
from didflow_chassis.stage.messages import Message, Poison, Record, hash64
from didflow_chassis.states import Kind, Stored

Place = tuple[type, Hashable]


class MoreNeeded(Exception):
    """A decision follows to states that were not locked: roll back and run again with these too."""

    def __init__(self, refs: set[Ref]) -> None:
        super().__init__(f"{len(refs)} more")
        self.refs = refs


class OutboxRow(Struct, frozen=True):
    """One record to publish; `headers` None means the standard content type."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: str | None = None


class ParkedRow(Struct, frozen=True):
    """One message that waits: too early, under retry, behind another, or for an operator (`dead`)."""

    entity: str
    subject: str
    model: str
    reason: str
    missing: str | None
    attempts: int
    due_at: datetime | None
    last_error: str | None
    inbox_id: bytes
    record: Record | None


class Moved(Struct, frozen=True):
    """A row that goes on waiting in its place, for another reason or longer."""

    id: int
    reason: str
    attempts: int
    due_at: datetime | None
    last_error: str


class DeadLetter(Struct, frozen=True):
    """One record given up on; `entity` is set when later messages of that entity wait behind it."""

    reason: str
    detail: str
    record: Record | None
    entity: str | None = None


@dataclass(slots=True)
class Work:
    """One batch: what was loaded and what is to be saved. `now` is the database's time under the locks."""

    service: Service
    now: datetime
    refs: frozenset[Ref]
    stored: dict[Place, Stored[Any]] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    changed: dict[Place, None] = field(default_factory=dict)
    appended: list[Any] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    inbox: list[tuple[bytes, bytes, str, int | None]] = field(default_factory=list)
    parked: dict[int, ParkedRow] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)
    unparked: list[int] = field(default_factory=list)
    dead: list[DeadLetter] = field(default_factory=list)
    writable: frozenset[Place] = frozenset()
    reused: list[tuple[Message, Poison]] = field(default_factory=list)
    duplicates: int = 0
    failures: Counter[tuple[str, int]] = field(default_factory=Counter)
    decided_s: float = 0.0
    decided_at: float = 0.0

    def put_loaded(self, kind: Kind[Any], rows: Iterable[Stored[Any]], keys: Iterable[Hashable]) -> None:
        """Take over what was loaded; keys without a row are known to be absent."""
        states: dict[Place, Any] = dict.fromkeys((kind.model, key) for key in keys)
        for row in rows:
            place = (kind.model, kind.key_of(row.state))
            self.stored[place] = row
            states[place] = row.state
        self.known.states.update(states)

    def state(self, model: type, key: Hashable) -> Any:
        """Return a loaded state, or None where it does not exist. Raises KeyError where it was not loaded."""
        return self.known.states[model, key]

    def change(self, place: Place, state: Any, correlation_id: str) -> None:
        """Take a decision's new value of a state; raises KeyError where it was not loaded for it."""
        if place not in self.known.states:
            raise KeyError(place)
        row = self.stored.get(place)
        if row is None:
            row = self.stored[place] = Stored(state, 0, 0, correlation_id)
        row.state = state
        self.known.states[place] = state
        self._touch(place, row)

    def next_sequence(self, place: Place) -> Stored[Any]:
        """Count one more event said about an entity and return its row. Raises KeyError for one without a row."""
        row = self.stored[place]
        row.sequence += 1
        self._touch(place, row)
        return row

    def _touch(self, place: Place, row: Stored[Any]) -> None:
        """Let the row's version rise once in a batch."""
        if place not in self.changed:
            self.changed[place] = None
            row.version += 1


def lock_number(name: str) -> int:
    """Return the advisory lock of a name: 64 bits of its hash."""
    return hash64(name)


def locks_of(service: Service, refs: Iterable[Ref]) -> dict[int, bool]:
    """Return the distinct locks of a batch, sorted, and whether each is exclusive."""
    named: dict[str, bool] = {}
    for ref in refs:
        name = ref.subject or service.kind_of[ref.model].lock_of(ref.key)
        named[name] = ref.write or named.get(name, False)
    return dict(sorted((lock_number(name), write) for name, write in named.items()))


def refs_of(service: Service, message: Message) -> frozenset[Ref]:
    """Return what a message itself tells of the states that it needs, its own first; worked out once."""
    if message.refs is None:
        own = Ref(message.model, message.entity, True, message.subject or None)
        named = message.on.needs(message.body) if message.on.needs else ()
        message.refs = frozenset((own, *(with_subject(service, ref, message) for ref in named)))
    return message.refs


def with_subject(service: Service, ref: Ref, message: Message) -> Ref:
    """Give a ref the message's subject where its kind is ordered by one."""
    if ref.subject is None and service.kind_of[ref.model].subject is not None:
        return Ref(ref.model, ref.key, ref.write, message.subject)
    return ref


def uncovered(refs: Iterable[Ref], held: AbstractSet[Ref]) -> set[Ref]:
    """Return those refs that are not held, neither as they are nor for writing."""
    return {r for r in refs if r not in held and Ref(r.model, r.key, True, r.subject) not in held}
