"""What is kept of a record that is given up: the part that the table stores, and its copy for `<service>.dlq`.

Source: spec events, dead letters.
"""

from datetime import datetime
from typing import Final

from didflow_chassis.records import Headers, OutboxRow, Record, headers_to_json
from didflow_contracts.envelope import MAX_VALUE_BYTES

MAX_TRUNCATED: Final = 1024
"""How many bytes of an oversized value or key are stored."""
MAX_HEADERS: Final = 64 * 1024
"""The most bytes of headers that are stored."""


def stored_part(record: Record) -> tuple[Record, bool]:
    """Cut what a dead letter topic would not accept: a value over the limit, too many bytes of headers.

    Return the rest, and True if something of the value or the headers was cut.
    """
    value, headers, truncated = record.value, record.headers, False
    if value is not None and len(value) > MAX_VALUE_BYTES:
        value, truncated = value[:MAX_TRUNCATED], True
    if _size(headers) > MAX_HEADERS:
        headers, truncated = headers[:20] if _size(headers[:20]) <= MAX_HEADERS else (), True
    key = record.key[:MAX_TRUNCATED] if record.key else record.key
    return Record(record.topic, record.partition, record.offset, key, value, headers), truncated


def copy_of(
    stored: Record, reason: str, record: Record, *, service: str, prefix: str, now: datetime
) -> OutboxRow:
    """Return the outbox row of a copy. Its headers name the reason and the origin of the record."""
    headers = (*stored.headers, *_cause(reason, service, record, now))
    # aiokafka refuses to send a record that has neither key nor value, so such a copy has an empty value.
    value = b"" if stored.key is None and stored.value is None else stored.value
    return OutboxRow(f"{prefix}{service}.dlq", stored.key, value, headers_to_json(headers))


def _size(headers: Headers) -> int:
    return sum(len(name) + len(value or b"") for name, value in headers)


def _cause(reason: str, service: str, record: Record, at: datetime) -> Headers:
    headers = {
        "dlq_reason": reason,
        "dlq_service": service,
        "dlq_topic": record.topic,
        "dlq_partition": str(record.partition),
        "dlq_offset": str(record.offset),
        "dlq_at": at.isoformat(),
    }
    return tuple((name, text.encode()) for name, text in headers.items())
