"""The unit of work of one batch: the states that were loaded, and all that is written at the end of the transaction.

Every record is noted in the inbox once, by the first batch that sees it, whatever was decided then. Every table is
written by one statement. If an upsert writes fewer rows than it was given, another writer changed a row, and the whole
batch runs again.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from msgspec import Struct

from didflow_chassis import dead_letters, parked
from didflow_chassis.database import Transient
from didflow_chassis.dead_letters import NewLetter
from didflow_chassis.decision import Known, Refused
from didflow_chassis.records import OutboxRow
from didflow_chassis.service import Ref, Service
from didflow_chassis.stage.breaker import Outcome
from didflow_chassis.stage.messages import Message, Poison
from didflow_chassis.states import Kind, Stored
from didflow_contracts.envelope import Event

INSERT_INBOX = """
    INSERT INTO inbox (id, digest, decision, sequence_hash, seen_at)
    SELECT i, d, r, s, clock_timestamp()
    FROM unnest($1::bytea[], $2::bytea[], $3::text[], $4::bigint[]) AS u (i, d, r, s)
"""

INSERT_INBOX_AND_OUTBOX = f"""
WITH taken AS ({INSERT_INBOX}), written AS (
    INSERT INTO outbox (topic, key, value, headers)
    SELECT t, k, v, h FROM unnest($5::text[], $6::bytea[], $7::bytea[], $8::jsonb[])
        WITH ORDINALITY AS u (t, k, v, h, n) ORDER BY n)
SELECT pg_notify('outbox', '')
"""  # noqa: S608

StateKey = tuple[type, Hashable]
"""The model class and the key of a state."""

InboxRow = tuple[bytes, bytes, str, int | None]
"""Id, digest, decision and sequence hash of a record that was taken."""


class NewEvents(Struct):
    """The events of one decision: their outbox rows, their notes in the inbox, the last sequence by entity."""

    outbox: list[OutboxRow]
    inbox: list[InboxRow]
    sequences: dict[StateKey, int]


@dataclass(slots=True)
class UnitOfWork:
    """What one batch has loaded and what it writes. `now` is the service's time, read under the locks.

    `refs` are the locked states. `messages` are those of this attempt. `poisoned` are messages that cannot be taken:
    they reuse an id or a sequence for another event, or name an instant out of the bounds of their source. `retried`
    are the records of retried dead letters, by identity. `outcomes` are what the breaker counts after the commit.
    """

    service: Service
    now: datetime
    refs: frozenset[Ref]
    writable: frozenset[StateKey] = frozenset()
    messages: Sequence[Message] = ()
    stored: dict[StateKey, Stored[Any]] = field(default_factory=dict)
    known: Known = field(default_factory=Known)
    changed: dict[StateKey, None] = field(default_factory=dict)
    appended: list[Any] = field(default_factory=list)
    inbox: list[InboxRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    newly_parked: dict[int, parked.NewRow] = field(default_factory=dict)
    parked_changes: list[parked.Change] = field(default_factory=list)
    unparked: list[int] = field(default_factory=list)
    dead_letters: list[NewLetter] = field(default_factory=list)
    poisoned: list[tuple[Message, Poison]] = field(default_factory=list)
    retried: set[int] = field(default_factory=set)
    duplicates: int = 0
    outcomes: list[Outcome] = field(default_factory=list)
    decided_s: float = 0.0
    decided_at: float = 0.0

    def add_loaded(self, kind: Kind[Any], rows: Iterable[Stored[Any]], keys: Iterable[Hashable]) -> None:
        """Add the states that were loaded. A key without a row is known to be absent."""
        states: dict[StateKey, Any] = dict.fromkeys((kind.model, key) for key in keys)
        for row in rows:
            key = (kind.model, kind.key_of(row.state))
            self.stored[key] = row
            states[key] = row.state
        self.known.states.update(states)

    def state(self, model: type, key: Hashable) -> Any:
        """Return a loaded state, or None if it does not exist. Raises KeyError if it was not loaded."""
        return self.known.states[model, key]

    def change(self, key: StateKey, state: Any, correlation_id: str) -> None:
        """Set the new value of a loaded state. Raises KeyError if it was not loaded."""
        if key not in self.known.states:
            raise KeyError(key)
        row = self.stored.get(key)
        if row is None:
            row = self.stored[key] = Stored(state, 0, 0, correlation_id)
        row.state = state
        self.known.states[key] = state
        self._touch(key, row)

    def add_events(self, events: NewEvents) -> None:
        """Add events to the outbox. Raises KeyError if the row of an entity was neither loaded nor created."""
        for key, sequence in events.sequences.items():
            row = self.stored[key]
            row.sequence = sequence
            self._touch(key, row)
        self.outbox += events.outbox
        self.inbox += events.inbox

    def finish(self, message: Message, decision: str) -> None:
        """Remove a decided message from `parked`, or note it in the inbox if it was not parked before."""
        if message.parked_id is not None:
            self.unparked.append(message.parked_id)
        elif message.record is not None and self.newly_parked.pop(id(message.record), None) is None:
            self._note(message, decision)

    def park(self, message: Message, reason: str, missing: str | None = None) -> None:
        """Park a message as early or behind. A message that is parked already keeps its place."""
        self._park(parked.Change(message.parked_id or 0, reason, message.attempts, missing=missing), message)

    def park_failed(self, message: Message, error: str, pause: timedelta | None) -> None:
        """Park a message whose decision raised: for a retry, or after the last attempt as a dead letter.

        With a `pause`, it is tried again after it, and no attempt is used up, unless an operator gave the message up.

        Source: spec events, "a defect in our own code": 3 retries, then the entity waits for an operator.
        """
        attempts, due_at, reason = min(message.attempts + 1, parked.MAX_ATTEMPTS), None, parked.DEAD
        if pause is not None and message.attempts < parked.MAX_ATTEMPTS:
            attempts = message.attempts
            reason, due_at = parked.RETRY, self.now + parked.spread(pause, message.inbox_id)
        elif attempts < parked.MAX_ATTEMPTS:
            reason, due_at = parked.RETRY, self.now + parked.backoff(attempts, message.inbox_id)
        else:
            letter = NewLetter("defect", error, message.record, str(message.entity), message.subject)
            self.dead_letters.append(letter)
        self._park(parked.Change(message.parked_id or 0, reason, attempts, due_at, None, error), message)

    def give_up(self, poison: Poison) -> None:
        """Make a poison record a dead letter and note its position in the inbox."""
        self.dead_letters.append(NewLetter(poison.code, poison.detail, poison.record, None, poison.subject))
        if poison.parked_id is None:
            self.inbox.append((poison.inbox_id, b"", f"dead:{poison.code}", None))
        else:
            self.unparked.append(poison.parked_id)

    def unpark_new(self, rows: Iterable[parked.NewRow]) -> None:
        """Do not park these messages of the batch, and do not note them as taken."""
        gone = {row.inbox_id for row in rows}
        self.newly_parked = {p: row for p, row in self.newly_parked.items() if row.inbox_id not in gone}
        self.inbox = [row for row in self.inbox if row[0] not in gone]

    @property
    def has_decided(self) -> bool:
        """True if something was decided, failed or was given up. A message that is held back is not decided."""
        decided = (m.failed or not isinstance(m.decision, Refused | None) for m in self.messages)
        return bool(self.unparked or self.parked_changes) or any(decided)

    def _touch(self, key: StateKey, row: Stored[Any]) -> None:
        """Increase the row's version, once per batch."""
        if key not in self.changed:
            self.changed[key] = None
            row.version += 1

    def _note(self, message: Message, decision: str) -> None:
        if message.record is not None:
            self.inbox.append((message.inbox_id, message.digest, decision, message.sequence_hash))

    def _park(self, change: parked.Change, message: Message) -> None:
        if message.parked_id is not None:
            self.parked_changes.append(change)
            return
        place = id(message.record if message.record is not None else message)
        if place not in self.newly_parked:
            self._note(message, change.reason)
        self.newly_parked[place] = parked.NewRow(
            entity=str(message.entity),
            subject=message.subject,
            model=message.model.__name__,
            account=message.body.data.account if isinstance(message.body, Event) else None,
            type=message.body.type if isinstance(message.body, Event) else None,
            reason=change.reason,
            missing=change.missing,
            attempts=change.attempts,
            due_at=change.due_at,
            last_error=change.last_error,
            inbox_id=message.inbox_id,
            record=message.record,
        )


async def save(connection: Any, work: UnitOfWork, prefix: str) -> None:
    """Write all that was decided. Raises Transient if another writer changed a state."""
    by_model = _changed_rows(work)
    for kind in work.service.all_kinds:
        if rows := by_model.get(kind.model):
            status = await connection.execute(kind.save_sql, *kind.to_columns(rows))
            if int(status.rsplit(" ", 1)[1]) != len(rows):
                raise Transient(f"another writer changed a row of {kind.table.name}")
    await parked.save(connection, work.parked_changes, work.unparked, list(work.newly_parked.values()))
    if work.dead_letters:
        work.outbox += await dead_letters.insert(
            connection, work.dead_letters, service=work.service.name, prefix=prefix, now=work.now
        )
    inbox = _columns(work.inbox) if work.inbox else ([], [], [], [])
    if work.outbox:
        outbox = [(row.topic, row.key, row.value, row.headers) for row in work.outbox]
        await connection.execute(INSERT_INBOX_AND_OUTBOX, *inbox, *_columns(outbox))
    elif work.inbox:
        await connection.execute(INSERT_INBOX, *inbox)


def _changed_rows(work: UnitOfWork) -> Mapping[type, list[Stored[Any]]]:
    rows: defaultdict[type, list[Stored[Any]]] = defaultdict(list)
    for state in work.appended:
        rows[type(state)].append(Stored(state, 0))
    for key in work.changed:
        rows[key[0]].append(work.stored[key])
    return rows


def _columns(rows: list[Any]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
