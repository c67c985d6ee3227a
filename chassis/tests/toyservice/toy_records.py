"""Records as another service would have published them."""

from datetime import UTC, datetime
from itertools import count
from uuid import UUID

from didflow_chassis.records import Record
from didflow_contracts.envelope import CONTENT_TYPE, Event, encode
from didflow_contracts.event_data import EventData
from didflow_contracts.ids import derived_id

_OFFSETS = count()


def record(
    data: EventData,
    event_id: str,
    *,
    time: datetime | None = None,
    source: str = "/tests",
    sequence: int | None = None,
) -> Record:
    event = Event(id=event_id, source=source, time=time or datetime.now(UTC), data=data, sequence=sequence)
    return raw(encode(event), topic=data.topic, key=data.subject.encode())


def raw(
    value: bytes | None,
    *,
    topic: str = "counter.added",
    key: bytes | None = b"k",
    headers: tuple[tuple[str, bytes | None], ...] = (("content-type", CONTENT_TYPE.encode()),),
) -> Record:
    return Record(topic, 0, next(_OFFSETS), key, value, headers)


def named(number: int) -> tuple[UUID, str]:
    return derived_id("counter", str(number)), f"+3531960{number:04d}"


def padded(plain: Record, size: int) -> Record:
    """Return a record of the same event with `size` bytes more, in a field that nobody knows."""
    value = (plain.value or b"").replace(b'"data":{', b'"data":{"pad":"%s",' % (b"x" * size))
    return Record(plain.topic, plain.partition, plain.offset, plain.key, value, plain.headers)
