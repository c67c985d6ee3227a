"""Turns the events of a decision into outbox rows: id, time, sequence, cause, actor and trace are set here.

An event of this service on a topic that it also reads is noted in its own inbox, so that the copy that the broker
returns is recognized as a repeat.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from didflow_chassis.decision import Command, Refused
from didflow_chassis.records import OutboxRow
from didflow_chassis.service import Holder, Service
from didflow_chassis.stage.idempotency import IdempotencyKey
from didflow_chassis.stage.messages import Message, event_id_hash
from didflow_chassis.stage.unit_of_work import NewEvents, StateKey, UnitOfWork
from didflow_chassis.telemetry.tracing import carried
from didflow_contracts.envelope import MAX_VALUE_BYTES, Event, digest, encode
from didflow_contracts.event_data import EventData
from didflow_contracts.events import MessageRefused
from didflow_contracts.ids import derived_id, uuid7_text
from didflow_contracts.topics import topic_for

MAX_DATA_BYTES = MAX_VALUE_BYTES - 4_000
"""The most bytes of an event's data: the rest of a record is reserved for the attributes around it."""

EventWithJson = tuple[EventData, bytes]

Cause = Event[Any] | Command | None
"""The message that caused an event; None for a due timer."""

NOT_PUBLISHED: Final = frozenset({"outdated", "command_unknown"})
"""Refusals that are part of normal operation. They are counted, and not published."""

_NO_CHANGES: Final[Mapping[StateKey, Any]] = MappingProxyType({})

EventIds = dict[tuple[str, Any], int]
"""How many events have an id that is derived from the idempotency key, by topic and entity."""


@dataclass(slots=True)
class EventWriter:
    """Writes the events of one batch. `key`, `actor` and `request_id` are those of the HTTP call, if there is one."""

    service: Service
    prefix: str
    key: IdempotencyKey | None = None
    actor: str | None = None
    request_id: str | None = None
    ids: EventIds = field(default_factory=dict)

    def with_json(self, events: Sequence[EventData]) -> list[EventWithJson] | None:
        """Return events with their data as JSON, or None if one of them would not fit into a record.

        For an event that this service also reads the JSON is empty: `Event` writes its data in canonical form,
        because its digest is compared with that of the copy.
        """
        written = [(data, data.wire_bytes()) for data in events]
        for _, raw in written:
            if len(raw) > MAX_DATA_BYTES:
                return None
        read = self.service.events
        return [(data, b"" if type(data) in read else raw) for data, raw in written]

    def correlation_id(self, message: Message) -> str:
        """Return the correlation id of a new entity: the event's own, the event's id, or that of the request."""
        if isinstance(message.body, Event):
            return message.body.correlationid or message.body.id
        return self.request_id or uuid7_text()

    def write(
        self,
        work: UnitOfWork,
        events: Iterable[EventWithJson],
        cause: Cause,
        at: datetime,
        *,
        changes: Mapping[StateKey, Any] = _NO_CHANGES,
        correlation_id: str = "",
    ) -> NewEvents:
        """Return the outbox rows of events, numbered by the row of their entity. Changes nothing in `work`.

        `cause` is the message that was decided. What a due timer causes is caused by no message, also if the timer runs
        because a later message has come: the service is its actor.
        `changes` are the states that the same decision writes; `correlation_id` is that of an entity that is new
        among them. Raises KeyError for an entity that has no row and gets none: a defect in the decision.
        """
        result = NewEvents([], [], {})
        causation_id, actor, trace = self._causation_id(cause), self._actor(cause), carried(_trace(cause))
        for data, raw in events:
            key = (self.service.main, data.entity_id)
            row = work.stored.get(key)
            if row is None and key not in changes:
                raise KeyError(f"an event is about {key[1]}, which has no row to count its events")
            sequence = result.sequences.get(key) or (row.sequence if row is not None else 0)
            result.sequences[key] = sequence + 1
            event: Event[EventData] = Event(
                id=self._id(data, cause),
                source=self.service.source,
                time=at,
                data=data,
                sequence=sequence + 1,
                correlationid=row.correlation_id if row is not None else correlation_id,
                causationid=causation_id,
                actor=actor,
                traceparent=trace,
                raw_data=raw,
            )
            topic = self.prefix + topic_for(self.service.source, type(data))
            result.outbox.append(OutboxRow(topic, event.subject.encode(), encode(event)))
            if type(data) in self.service.events:
                note = (event_id_hash(event.source, event.id), digest(event), "published", None)
                result.inbox.append(note)
        return result

    def _id(self, data: EventData, cause: Cause) -> str:
        """Return the event's id: derived from the idempotency key if there is one, so that a retry has the same."""
        key = self.key
        if key is None or key.value is None or cause is None:
            return uuid7_text()
        place = (data.topic, data.entity_id)
        count = self.ids.get(place, 0) + 1
        self.ids[place] = count
        parts = (*key.identity, data.type(), str(data.entity_id))
        return str(derived_id(*parts, *([str(count)] if count > 1 else [])))

    def _causation_id(self, cause: Cause) -> str | None:
        if isinstance(cause, Event):
            return cause.id
        return None if cause is None else self.request_id

    def _actor(self, cause: Cause) -> str:
        if isinstance(cause, Event) and cause.actor and cause.actor.startswith("user:"):
            return cause.actor
        if isinstance(cause, Command) and self.actor:
            return self.actor
        return f"service:{self.service.name}"


def message_refused(message: Message, refused: Refused, holder: Holder) -> MessageRefused | None:
    """Return the event that tells inventory about a refused event, or None if this refusal is not published.

    Source: spec events, `message.refused`.
    """
    event = message.body
    if (
        refused.code in NOT_PUBLISHED
        or not isinstance(event, Event)
        or isinstance(event.data, MessageRefused)
    ):
        return None
    return MessageRefused(
        did_id=event.data.entity_id,
        number=holder.subject,
        account=holder.account,
        refused_type=event.type,
        refused_source=event.source,
        refused_id=event.id,
        code=refused.code,
        field=refused.field,
    )


def _trace(cause: Cause) -> str | None:
    return cause.traceparent if isinstance(cause, Event) else None
