"""Saving a batch: one statement for each table, all inside the stage's transaction.

An upsert whose count falls short met a row that another writer changed: the whole batch runs again.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from didflow_chassis.database import Transient
from didflow_chassis.stage import sql
from didflow_chassis.stage.headers import to_json
from didflow_chassis.stage.letters import letter_rows
from didflow_chassis.stage.work import ParkedRow, Work
from didflow_chassis.states import Stored

Connection = Any


async def save(connection: Connection, work: Work, prefix: str) -> None:
    """Write all that the batch decided. Raises Transient on a lost race."""
    await _save_states(connection, work)
    await _save_parked(connection, work)
    if work.dead:
        await connection.execute(sql.WRITE_DEAD_LETTERS, *_columns(letter_rows(work, prefix)))
    await _save_messages(connection, work)


async def _save_messages(connection: Connection, work: Work) -> None:
    inbox = _columns(work.inbox) if work.inbox else ([], [], [], [])
    if work.outbox:
        rows = [(r.topic, r.key, r.value, r.headers) for r in work.outbox]
        await connection.execute(sql.WRITE_INBOX_AND_OUTBOX, *inbox, *_columns(rows))
    elif work.inbox:
        await connection.execute(sql.WRITE_INBOX, *inbox)


async def _save_states(connection: Connection, work: Work) -> None:
    by_model = _rows(work)
    for kind in work.service.kinds:
        if rows := by_model.get(kind.model):
            status = await connection.execute(kind.save_sql, *kind.to_columns(rows))
            if int(status.rsplit(" ", 1)[1]) != len(rows):
                raise Transient(f"{kind.table.name} was changed by another writer")


def _rows(work: Work) -> Mapping[type, list[Stored[Any]]]:
    """Part what is to be written by kind."""
    rows: defaultdict[type, list[Stored[Any]]] = defaultdict(list)
    for state in work.appended:
        rows[type(state)].append(Stored(state, 0))
    for place in work.changed:
        rows[place[0]].append(work.stored[place])
    return rows


async def _save_parked(connection: Connection, work: Work) -> None:
    if work.moved:
        rows = [(m.id, m.reason, m.attempts, m.due_at, m.last_error) for m in work.moved]
        await connection.execute(sql.MOVE_PARKED, *_columns(rows))
    if work.unparked:
        await connection.execute(sql.UNPARK, work.unparked)
    if work.parked:
        await connection.execute(sql.WRITE_PARKED, *_columns([_parked(row) for row in work.parked.values()]))


def _parked(row: ParkedRow) -> tuple[Any, ...]:
    r = row.record
    place = (r.topic, r.partition, r.offset, r.key, r.value, to_json(r.headers)) if r else (None,) * 6
    why = (row.entity, row.subject, row.model, row.reason, row.missing, row.attempts, row.due_at)
    return (*why, row.last_error, row.inbox_id, *place)


def _columns(rows: list[Any]) -> tuple[list[Any], ...]:
    return tuple(list(column) for column in zip(*rows, strict=True))
