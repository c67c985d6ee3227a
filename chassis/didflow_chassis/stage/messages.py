"""Messages, made from records, commands and due timers; batches of them, with the states and locks they need.

A record that cannot be decoded becomes a `Poison` with its reason. It never affects the records beside it.
All states of one ordering subject share one lock. Every other state has its own.
"""

from collections.abc import Hashable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from didflow_chassis.database import Rejected, hash64
from didflow_chassis.decision import Command, Decision
from didflow_chassis.records import Record
from didflow_chassis.service import Handler, Ref, Service
from didflow_chassis.sources import InForce, open_sources
from didflow_contracts.envelope import BadEvent, Event, decode, digest
from didflow_contracts.event_data import EventData
from didflow_contracts.topics import topics_of

MAX_LOCKS = 2_500
"""The most locks of one transaction: PostgreSQL keeps locks in shared memory.

A batch request has 1,000 items with two locks each, and some that several items have in common.
"""


class Message(Struct, eq=False):
    """One message. `body` is an Event, a Command, or None for a due timer.

    `model` and `entity` are the class and the key of the primary state. Messages of one entity are decided in order.
    `sequence_hash` identifies the event's sequence at its source, if it has one.
    `parked_id` and `attempts` are set for a message that was loaded from the `parked` table; `parked_as` is the
    reason under which it is parked. `failed` is True if the decision raised an exception.
    """

    body: Event[Any] | Command | None
    handler: Handler
    model: type
    entity: Hashable
    subject: str
    time: datetime | None = None
    inbox_id: bytes = b""
    digest: bytes = b""
    sequence_hash: int | None = None
    record: Record | None = None
    parked_id: int | None = None
    attempts: int = 0
    parked_as: str = ""
    failed: bool = False
    decision: Decision | None = None
    refs: frozenset[Ref] | None = None

    def begin(self) -> "Message":
        """Clear the results of an earlier attempt and return the message."""
        self.decision, self.parked_as, self.failed = None, "", False
        return self


class Poison(Struct, frozen=True):
    """A record that is given up as it is, with a stable code and the reason in words.

    `subject` is set if the record could be decoded.
    """

    record: Record
    code: str
    detail: str
    inbox_id: bytes
    parked_id: int | None = None
    subject: str | None = None


def event_id_hash(source: str, event_id: str) -> bytes:
    """Return the inbox's key of an event: a 16-byte hash of source and id."""
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest()


def sequence_hash_of(source: str, entity: Hashable, sequence: int | None) -> int | None:
    """Return a 64-bit hash of source, entity and sequence, or None if the event has no sequence.

    A source uses each sequence of an entity for one event. If another event has the same sequence, the source has
    lost part of its data.
    """
    if sequence is None:
        return None
    return hash64(f"{source}\0{entity}\0{sequence}")


def poison(
    record: Record, code: str, detail: str, *, parked_id: int | None = None, subject: str | None = None
) -> Poison:
    """Build a poison. Its inbox key is a hash of its position and value, so that a redelivery is recognized."""
    position = f"{record.topic}\0{record.partition}\0{record.offset}\0".encode()
    inbox_id = blake2b(position + (record.value or b""), digest_size=16).digest()
    return Poison(record, code, detail, inbox_id, parked_id, subject)


class Decoder:
    """Decodes records by the events that a service subscribes to. `sources` returns the registered sources in force.

    A topic may carry only its own event type, in any known version. A producer that may write to one topic therefore
    cannot publish the events of another topic.
    """

    def __init__(self, service: Service, sources: InForce = open_sources) -> None:
        self._main = service.main
        self._events = service.events
        self._sources = sources
        self._types: dict[str, dict[str, type[EventData]]] = {}
        for model in service.events:
            for topic in topics_of(model):
                self._types.setdefault(topic, {})[model.type()] = model

    def decode(self, record: Record, *, parked_id: int | None = None, attempts: int = 0) -> Message | Poison:
        """Return the record's message, or a poison if it cannot be decoded. Never raises."""
        try:
            event = decode(
                record.value,
                record.headers,
                types=self._types.get(record.topic, {}),
                topic=record.topic,
                sources=self._sources(),
            )
        except BadEvent as bad:
            return poison(record, bad.code, bad.reason, parked_id=parked_id)
        handler = self._events[type(event.data)]
        return Message(
            body=event,
            handler=handler,
            model=handler.model or self._main,
            entity=handler.key(event) if handler.key else event.data.entity_id,
            subject=event.data.subject,
            time=event.time,
            inbox_id=event_id_hash(event.source, event.id),
            digest=digest(event),
            sequence_hash=sequence_hash_of(event.source, event.data.entity_id, event.sequence),
            record=record,
            parked_id=parked_id,
            attempts=attempts,
        )

    def decode_all(self, records: Iterable[Record]) -> list[Message | Poison]:
        """Decode record by record, in order."""
        return [self.decode(r) for r in records]


def command_message(service: Service, command: Command) -> Message:
    """Return the message of a command."""
    handler = service.all_commands[type(command)]
    entity = handler.key(command) if handler.key else command.entity_id
    return Message(
        body=command,
        handler=handler,
        model=handler.model or service.main,
        entity=entity,
        subject=command.subject,
    )


def timer_message(service: Service, model: type, key: Hashable, subject: str) -> Message:
    """Return the message of a state whose timer is due."""
    return Message(body=None, handler=service.due[model], model=model, entity=key, subject=subject)


class MoreNeeded(Exception):
    """Decisions need states that were not locked. The batch is decided again with these as well.

    `by_entity` maps each entity to the states that its messages need; `refs` are all of them.
    """

    def __init__(self, by_entity: Mapping[str, AbstractSet[Ref]]) -> None:
        self.by_entity = by_entity
        self.refs = set[Ref]().union(*by_entity.values())
        super().__init__(f"{len(self.refs)} more states are needed")


class TooWide(Rejected):
    """The batch needs more locks than one transaction may take. It is split in half."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Batch:
    """Messages in order, poison records, and parked rows to try again.

    `entities` maps each entity whose parked messages are tried to its subject. `row_ids` are parked rows without an
    entity. `origin` is kafka, timers, http, job or local. A batch `from_timers` does not wait for locks: an entity that
    needs a locked state is left for the next time. `discovered` collects, while the batch runs, the states that were
    found to be needed by an entity. `rejected` is the reason why the database refused the only message of the batch.
    """

    origin: str
    messages: tuple[Message, ...] = ()
    poisons: tuple[Poison, ...] = ()
    entities: dict[str, str] = field(default_factory=dict)
    row_ids: tuple[int, ...] = ()
    from_timers: bool = False
    discovered: dict[str, set[Ref]] = field(default_factory=dict)
    rejected: str | None = None

    def discover(self, by_entity: Mapping[str, Iterable[Ref]]) -> None:
        """Note that entities need states which their messages do not name."""
        for entity, refs in by_entity.items():
            self.discovered.setdefault(entity, set()).update(refs)

    @property
    def size(self) -> int:
        """How many separate things the batch has."""
        return len(self.messages) + len(self.poisons) + len(self.entities) + len(self.row_ids)

    def inbox_ids(self) -> list[bytes]:
        """Return the inbox keys of all records of the batch."""
        return [m.inbox_id for m in self.messages if m.record] + [p.inbox_id for p in self.poisons]

    def all_entities(self) -> list[str]:
        """Return the entities whose parked messages are loaded with this batch."""
        return list({str(m.entity) for m in self.messages} | self.entities.keys())


def halves(batch: Batch) -> tuple[Batch, Batch]:
    """Split a batch in two: its messages from the rest, or else each kind of thing in the middle."""
    if 0 < len(batch.messages) < batch.size:
        only_messages = replace(batch, poisons=(), entities={}, row_ids=())
        return only_messages, replace(batch, messages=())
    entities = list(batch.entities.items())
    m, p, e, r = ((len(x) + 1) // 2 for x in (batch.messages, batch.poisons, entities, batch.row_ids))
    first = replace(
        batch,
        messages=batch.messages[:m],
        poisons=batch.poisons[:p],
        entities=dict(entities[:e]),
        row_ids=batch.row_ids[:r],
    )
    second = replace(
        batch,
        messages=batch.messages[m:],
        poisons=batch.poisons[p:],
        entities=dict(entities[e:]),
        row_ids=batch.row_ids[r:],
    )
    return first, second


def required_refs(service: Service, messages: Iterable[Message]) -> set[Ref]:
    """Return all states that these messages need, as far as the messages themselves name them."""
    return set[Ref]().union(*(refs_of(service, message) for message in messages))


def refs_of(service: Service, message: Message) -> frozenset[Ref]:
    """Return the states that a message itself names, its primary state included. Computed once per message."""
    if message.refs is None:
        needs = message.handler.needs
        own = Ref(message.model, message.entity, True, message.subject or None)
        named = needs(message.subject if message.body is None else message.body) if needs else ()
        message.refs = frozenset((own, *(with_subject(service, ref, message) for ref in named)))
    return message.refs


def with_subject(service: Service, ref: Ref, message: Message) -> Ref:
    """Return the ref with the message's subject if its kind is ordered by a subject and it names none."""
    if ref.subject is None and service.kind_of[ref.model].subject is not None:
        return Ref(ref.model, ref.key, ref.write, message.subject)
    return ref


def uncovered(refs: Iterable[Ref], locked: AbstractSet[Ref]) -> set[Ref]:
    """Return the refs that are not locked, neither as they are nor for writing."""
    return {r for r in refs if r not in locked and Ref(r.model, r.key, True, r.subject) not in locked}


def lock_name(service: Service, ref: Ref) -> str:
    """Return the name of the lock of a state: its subject, or else its table and key."""
    return ref.subject or service.kind_of[ref.model].lock_of(ref.key)


def locks_of(service: Service, batch: Batch, refs: Iterable[Ref]) -> dict[int, bool]:
    """Return the batch's distinct lock numbers, sorted, and for each whether it is exclusive.

    Raises TooWide if one transaction may not take so many.
    """
    names: dict[str, bool] = {}
    for ref in refs:
        name = lock_name(service, ref)
        names[name] = ref.write or names.get(name, False)
    names.update(dict.fromkeys(filter(None, batch.entities.values()), True))
    if len(names) > MAX_LOCKS and batch.size > 1:
        raise TooWide(f"the batch needs {len(names)} locks; {MAX_LOCKS} are allowed")
    return dict(sorted((hash64(name), exclusive) for name, exclusive in names.items()))
