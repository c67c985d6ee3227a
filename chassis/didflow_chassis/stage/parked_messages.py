"""The parked messages of a batch: those that are loaded with its entities, and the bounds of those that it adds."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from didflow_chassis import parked, parked_bounds
from didflow_chassis.records import Record, headers_from_json
from didflow_chassis.stage.busy import Busy, without
from didflow_chassis.stage.entity_queue import ParkedMessage
from didflow_chassis.stage.messages import Batch, Message, Poison, poison, timer_message
from didflow_chassis.stage.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from didflow_chassis.stage.transaction import Context


async def load(
    connection: Any, context: "Context", work: UnitOfWork, batch: Batch, busy: Busy
) -> tuple[list[ParkedMessage], list[Message], set[str]]:
    """Load the parked messages of the batch's entities, and retried dead letters: rows that belong to no entity.

    A retried dead letter that can be decoded now is a message like a new one. The parked messages of its entity are
    loaded too. Return both, and the entities that are left for later with all their messages.
    """
    left = busy.entities(batch.messages)
    entities = [entity for entity in batch.all_entities() if entity not in left]
    found = await parked.load(connection, entities, batch.row_ids, is_tried=bool(batch.entities))
    rows, retried = _messages(context, work, found)
    more = {str(message.entity) for message in retried}.difference(entities)
    if more:
        rows += _messages(context, work, await parked.load(connection, list(more)))[0]
    left |= busy.entities([*messages_of(rows), *retried])
    retried = _unparked(work, without(left, retried))
    work.retried = {id(message.record) for message in retried}
    return without(left, rows), retried, left


def messages_of(rows: Iterable[ParkedMessage]) -> list[Message]:
    """Return the messages of the rows whose records were read."""
    return [row.message for row in rows if row.message is not None]


async def unfit(connection: Any, work: UnitOfWork) -> list[tuple[parked.NewRow, Poison]]:
    """Return the rows that the batch would add although their entity or account has too many, each as a poison."""
    rows = await parked_bounds.unfit(connection, list(work.newly_parked.values()), work.unparked)
    return [
        (row, poison(row.record, parked_bounds.FULL, detail, subject=row.subject))
        for row, detail in rows
        if row.record is not None
    ]


def _messages(
    context: "Context", work: UnitOfWork, found: Iterable[Any]
) -> tuple[list[ParkedMessage], list[Message]]:
    rows: list[ParkedMessage] = []
    retried: list[Message] = []
    for row in found:
        message = _message(context, row) if row["is_read"] else None
        if isinstance(message, Poison):
            work.give_up(message)
        elif message is not None and row["entity"] == "":
            retried.append(message)
        else:
            about = (row["id"], row["entity"], row["reason"], row["attempts"], row["due_at"])
            rows.append(ParkedMessage(*about, message))
    return rows, retried


def _unparked(work: UnitOfWork, retried: Iterable[Message]) -> list[Message]:
    """Remove retried dead letters from `parked` and return them as new messages."""
    work.unparked += [message.parked_id for message in retried if message.parked_id is not None]
    return [replace(message, parked_id=None, attempts=0) for message in retried]


def _message(context: "Context", row: Any) -> Message | Poison:
    if row["topic"] is None:
        kind = next(kind for kind in context.service.kinds if kind.model.__name__ == row["model"])
        message = timer_message(context.service, kind.model, kind.parse_key(row["entity"]), row["subject"])
        message.parked_id, message.attempts = row["id"], row["attempts"]
        return message
    headers = headers_from_json(row["headers"])
    record = Record(row["topic"], row["partition"], row["offset"], row["key"], row["value"], headers)
    decoded = context.decoder.decode(record, parked_id=row["id"], attempts=row["attempts"])
    if isinstance(decoded, Message):
        decoded.parked_as = row["reason"]
    return decoded
