"""Dead letters: the row that is the truth, and its copy for the service's `.dlq` topic, in one transaction."""

from datetime import datetime
from uuid import UUID

from didflow_chassis.stage.headers import to_json
from didflow_chassis.stage.messages import Headers, Poison, Record
from didflow_chassis.stage.work import DeadLetter, OutboxRow, Work
from didflow_contracts.envelope import MAX_VALUE_BYTES
from didflow_contracts.ids import uuid7

KEPT_OF_OVERSIZE = 1024
KEPT_OF_HEADERS = 64 * 1024

LetterRow = tuple[
    UUID, str, str, str | None, int | None, int | None, bytes | None, bytes | None, str, bool, str | None
]


def add_poison(work: Work, poison: Poison) -> None:
    """Dead-letter a record that cannot be decided; its place is noted in the inbox."""
    work.dead.append(DeadLetter(poison.code, poison.detail, poison.record))
    if poison.parked_id is None:
        work.inbox.append((poison.inbox_id, b"", f"dead:{poison.code}", None))
    else:
        work.unparked.append(poison.parked_id)


def letter_rows(work: Work, prefix: str) -> list[LetterRow]:
    """Build the table's rows, and put the copies into the outbox."""
    return [_row(work, letter, prefix) for letter in work.dead]


def _row(work: Work, letter: DeadLetter, prefix: str) -> LetterRow:
    record = letter.record or Record("", 0, 0, None, None, ())
    kept, truncated = _kept(record)
    detail = letter.detail.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    headers = (*kept.headers, *_reasons(work, letter, record, work.now))
    name = f"{prefix}{work.service.name}.dlq"
    # The client refuses to send a record that has neither key nor value: its copy has an empty one.
    value = b"" if kept.key is None and kept.value is None else kept.value
    work.outbox.append(OutboxRow(name, kept.key, value, to_json(headers)))
    place = (record.topic, record.partition, record.offset) if letter.record else (None, None, None)
    return (
        uuid7(),
        letter.reason,
        detail,
        *place,
        kept.key,
        kept.value,
        to_json(kept.headers),
        truncated,
        letter.entity,
    )


def _kept(record: Record) -> tuple[Record, bool]:
    """Cut what a dead letter topic could not take: a value over the limit, headers beyond all reason."""
    value, headers, truncated = record.value, record.headers, False
    if value is not None and len(value) > MAX_VALUE_BYTES:
        value, truncated = value[:KEPT_OF_OVERSIZE], True
    if sum(len(name) + len(text or b"") for name, text in headers) > KEPT_OF_HEADERS:
        headers, truncated = headers[:20] if _small(headers[:20]) else (), True
    key = record.key[:KEPT_OF_OVERSIZE] if record.key else record.key
    return Record(record.topic, record.partition, record.offset, key, value, headers), truncated


def _small(headers: Headers) -> bool:
    return sum(len(name) + len(text or b"") for name, text in headers) <= KEPT_OF_HEADERS


def _reasons(work: Work, letter: DeadLetter, record: Record, at: datetime) -> Headers:
    """Say why and whence. Source: spec events, dead letters."""
    said = {
        "dlq_reason": letter.reason,
        "dlq_service": work.service.name,
        "dlq_topic": record.topic,
        "dlq_partition": str(record.partition),
        "dlq_offset": str(record.offset),
        "dlq_at": at.isoformat(),
    }
    return tuple((name, text.encode()) for name, text in said.items())
