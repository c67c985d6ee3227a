"""What goes through the stage: raw records, the messages decoded from them, and records that are poison.

A record that cannot be decoded never disturbs its neighbours: it becomes a `Poison` with its reason.
"""

from collections.abc import Hashable, Iterable
from datetime import datetime
from hashlib import blake2b
from typing import Any

from msgspec import Struct

from didflow_chassis.decision import Command, Decision
from didflow_chassis.service import Handler, Ref, Service
from didflow_contracts.envelope import BadEvent, Event, decode, digest
from didflow_contracts.event_data import EventData

Headers = tuple[tuple[str, bytes | None], ...]


class Record(Struct, frozen=True):
    """One record as the broker gave it, byte for byte; `topic` is without the deployment's prefix."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Message(Struct, eq=False):
    """One message on its way: `body` is an Event, a Command, or None when the clock struck.

    `entity` is the primary state's key and `model` its class; messages of one entity are decided in order.
    `spot` is its place in what its source says of the entity, where it has one. `parked_id` and `attempts` are those
    of a message that has waited before, as what `waits_as` says; `failed` when its decision raised.
    """

    body: Event[Any] | Command | None
    on: Handler
    model: type
    entity: Hashable
    subject: str
    time: datetime | None = None
    inbox_id: bytes = b""
    digest: bytes = b""
    spot: int | None = None
    record: Record | None = None
    parked_id: int | None = None
    attempts: int = 0
    waits_as: str = ""
    failed: bool = False
    outcome: Decision | None = None
    refs: frozenset[Ref] | None = None

    def begin(self) -> "Message":
        """Forget an earlier attempt at deciding it."""
        self.outcome, self.waits_as, self.failed = None, "", False
        return self


class Poison(Struct, frozen=True):
    """A record that can never be decided as it is, with the stable code and the reason in words."""

    record: Record
    code: str
    detail: str
    inbox_id: bytes
    parked_id: int | None = None


def event_id_hash(source: str, event_id: str) -> bytes:
    """Return the inbox's key of an event: 16 bytes over source and id."""
    return blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest()


def spot_of(source: str, entity: Hashable, sequence: int | None) -> int | None:
    """Return 64 bits of hash over a place in a source's count of an entity; None where nothing is counted.

    A source says one thing under a place. Another event there means that the source has forgotten the first.
    """
    if sequence is None:
        return None
    return hash64(f"{source}\0{entity}\0{sequence}")


def hash64(text: str) -> int:
    """Return 64 bits of hash as the database's bigint."""
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big", signed=True)


def poison(record: Record, code: str, detail: str, parked_id: int | None = None) -> Poison:
    """Build a poison; its inbox key is its place and content, so that a redelivery is known."""
    place = f"{record.topic}\0{record.partition}\0{record.offset}\0".encode()
    return Poison(
        record, code, detail, blake2b(place + (record.value or b""), digest_size=16).digest(), parked_id
    )


class Decoder:
    """Turns records into messages by a service's subscription table.

    A topic carries its own type only, in one version or in several: who may write to one topic cannot speak
    for another.
    """

    def __init__(self, service: Service) -> None:
        self._main = service.main
        self._events = service.events
        self._types: dict[str, dict[str, type[EventData]]] = {}
        for model in service.events:
            self._types.setdefault(model.topic, {})[model.type()] = model

    def decode(self, record: Record, *, parked_id: int | None = None, attempts: int = 0) -> Message | Poison:
        """Return the message of a record, or the poison that it is. Never raises."""
        try:
            event = decode(record.value, record.headers, types=self._types.get(record.topic, {}))
        except BadEvent as bad:
            return poison(record, bad.code, bad.reason, parked_id)
        on = self._events[type(event.data)]
        return Message(
            body=event,
            on=on,
            model=on.model or self._main,
            entity=on.key(event) if on.key else event.data.entity_id,
            subject=event.data.subject,
            time=event.time,
            inbox_id=event_id_hash(event.source, event.id),
            digest=digest(event),
            spot=spot_of(event.source, event.data.entity_id, event.sequence),
            record=record,
            parked_id=parked_id,
            attempts=attempts,
        )

    def decode_all(self, records: Iterable[Record]) -> list[Message | Poison]:
        """Decode record by record, in order."""
        return [self.decode(r) for r in records]


def command_message(service: Service, command: Command) -> Message:
    """Return the message of an HTTP command."""
    on = service.commands[type(command)]
    entity = on.key(command) if on.key else command.entity_id
    return Message(
        body=command, on=on, model=on.model or service.main, entity=entity, subject=command.subject
    )


def clock_message(service: Service, model: type, key: Hashable, subject: str) -> Message:
    """Return the message of a state that is due."""
    return Message(body=None, on=service.due[model], model=model, entity=key, subject=subject)
