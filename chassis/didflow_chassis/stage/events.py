"""From what a decision says to what goes on the wire: ids, order and cause are given here, in one place.

An event of this service on a topic that it reads itself goes into its own inbox too: the copy that comes
back from the broker is then a repeat.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from didflow_chassis.decision import Command
from didflow_chassis.service import Service
from didflow_chassis.stage.messages import Message, event_id_hash
from didflow_chassis.stage.once import Once
from didflow_chassis.stage.work import OutboxRow, Work
from didflow_chassis.telemetry.tracing import carried
from didflow_contracts.envelope import MAX_VALUE_BYTES, Event, digest, encode
from didflow_contracts.event_data import EventData
from didflow_contracts.ids import derived_id, uuid7_text

ENVELOPE_ALLOWANCE = 4_000


@dataclass(slots=True)
class Emitter:
    """Makes envelopes for one batch. `once` and `actor` are those of the HTTP call, if there is one."""

    service: Service
    prefix: str
    once: Once | None = None
    actor: str | None = None
    request_id: str | None = None
    _made: dict[tuple[str, Any], int] = field(default_factory=dict)

    def fresh(self) -> "Emitter":
        """The same for another attempt: ids are given anew, from the first."""
        return replace(self, _made={})

    def written(self, events: Sequence[EventData]) -> list[tuple[EventData, bytes]] | None:
        """Write what is to be said as JSON; None when one of the events would not fit into a record.

        What this service reads itself is written canonically, since its digest is compared with the copy's.
        """
        said = [(data, data.wire_bytes()) for data in events]
        if any(len(raw) > MAX_VALUE_BYTES - ENVELOPE_ALLOWANCE for _, raw in said):
            return None
        return [(data, b"" if type(data) in self.service.events else raw) for data, raw in said]

    def correlation(self, message: Message) -> str:
        """What a new entity's story started with: the event's own correlation, its id, or the request's."""
        if isinstance(message.body, Event):
            return message.body.correlationid or message.body.id
        return self.request_id or uuid7_text()

    def emit(
        self, work: Work, events: Sequence[tuple[EventData, bytes]], message: Message, at: datetime
    ) -> None:
        """Write events to the outbox, numbered by their entity's row. Raises KeyError for one not loaded."""
        if not events:
            return
        cause, actor, trace = self._cause(message), self._actor(message), carried(_trace(message))
        for data, raw in events:
            row = work.next_sequence((self.service.main, data.entity_id))
            event: Event[EventData] = Event(
                id=self._id(data),
                source=self.service.source,
                time=at,
                data=data,
                sequence=row.sequence,
                correlationid=row.correlation_id,
                causationid=cause,
                actor=actor,
                traceparent=trace,
                raw_data=raw,
            )
            work.outbox.append(OutboxRow(self.prefix + data.topic, event.subject.encode(), encode(event)))
            if type(data) in self.service.events:
                work.inbox.append((event_id_hash(event.source, event.id), digest(event), "said", None))

    def _id(self, data: EventData) -> str:
        once = self.once
        if once is None or once.key is None:
            return uuid7_text()
        said = (data.topic, data.entity_id)
        count = self._made[said] = self._made.get(said, 0) + 1
        parts = (once.account, once.route, once.key, data.type(), str(data.entity_id))
        return str(derived_id(*parts, *([str(count)] if count > 1 else [])))

    def _cause(self, message: Message) -> str | None:
        return message.body.id if isinstance(message.body, Event) else self.request_id

    def _actor(self, message: Message) -> str:
        if isinstance(message.body, Event) and message.body.actor and message.body.actor.startswith("user:"):
            return message.body.actor
        if isinstance(message.body, Command) and self.actor:
            return self.actor
        return f"service:{self.service.name}"


def _trace(message: Message) -> str | None:
    return message.body.traceparent if isinstance(message.body, Event) else None
