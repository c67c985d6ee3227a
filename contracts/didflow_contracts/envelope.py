"""CloudEvents 1.0 in and out. `decode` raises nothing but `BadEvent`, whatever bytes come."""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import force_setattr
from pydantic import ValidationError

from didflow_contracts import attributes as read_attributes
from didflow_contracts.attributes import CONTENT_TYPE, Headers
from didflow_contracts.badevent import BadCode, BadEvent
from didflow_contracts.event import EventData
from didflow_contracts.instants import parse_instant
from didflow_contracts.topics import TOPICS

__all__ = ["CONTENT_TYPE", "MAX_VALUE_BYTES", "BadCode", "BadEvent", "Event", "decode", "digest", "encode"]

MAX_VALUE_BYTES = 1_000_000
"""The longest value that is sent or taken. Source: spec events, What a service does."""

SPEC_VERSION = "1.0"

_VERSIONED = re.compile(r"didflow\..+\.v([0-9]{1,9})")
_REASONS_SHOWN = 3

D_co = TypeVar("D_co", bound=EventData, covariant=True)


class Event(Struct, Generic[D_co], frozen=True, kw_only=True):
    """One event: its data with the CloudEvents attributes around it.

    `type`, `subject` and `raw_data` follow from `data` when they are left out. `raw_data` is the data as
    it came, unknown fields included, as canonical JSON (keys sorted, no blanks).
    """

    id: str
    source: str
    time: datetime
    data: D_co
    type: str = ""
    subject: str = ""
    sequence: int | None = None
    correlationid: str | None = None
    causationid: str | None = None
    actor: str | None = None
    traceparent: str | None = None
    raw_data: bytes = b""

    def __post_init__(self) -> None:
        """Fill in what follows from the data."""
        if not self.type:
            force_setattr(self, "type", self.data.type())
        if not self.subject:
            force_setattr(self, "subject", self.data.subject)
        if not self.raw_data:
            force_setattr(self, "raw_data", _canonical(self.data.wire()))


class _Structured(Struct, kw_only=True, omit_defaults=True):
    """An event in structured mode, in the order of the wire; what is None is left out."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: datetime
    datacontenttype: str
    sequence: str | None = None
    correlationid: str | None = None
    causationid: str | None = None
    actor: str | None = None
    traceparent: str | None = None
    data: msgspec.Raw


_write = msgspec.json.Encoder().encode


def decode(
    value: bytes | None, headers: Headers, *, types: Mapping[str, type[EventData]]
) -> Event[EventData]:
    """Read one Kafka record, structured or binary mode; `types` is what this consumer knows.

    Raises BadEvent and nothing else. A type outside `TOPICS` (a consumer's own) has no list of sources.
    """
    if value is None:
        raise BadEvent("no_value", "the record has no value")
    if len(value) > MAX_VALUE_BYTES:
        raise BadEvent("too_large", f"{len(value)} bytes are more than {MAX_VALUE_BYTES}")
    attributes, data = read_attributes.read(value, headers)
    if attributes.get("specversion") != SPEC_VERSION:
        raise BadEvent("not_cloudevents", f"specversion is not {SPEC_VERSION}")
    event_id = read_attributes.required(attributes, "id")
    source = read_attributes.required(attributes, "source")
    model = _model(read_attributes.required(attributes, "type"), types)
    time = _time(read_attributes.required(attributes, "time"))
    _check_source(source, model)
    fields = _fields(model, data)
    _check_subject(read_attributes.optional(attributes, "subject"), fields.subject)
    return Event(
        id=event_id,
        source=source,
        type=model.type(),
        subject=fields.subject,
        time=time,
        data=fields,
        sequence=read_attributes.sequence(attributes, source),
        correlationid=read_attributes.optional(attributes, "correlationid"),
        causationid=read_attributes.optional(attributes, "causationid"),
        actor=read_attributes.optional(attributes, "actor"),
        traceparent=read_attributes.optional(attributes, "traceparent"),
        raw_data=_canonical(data),
    )


def encode(event: Event[EventData]) -> bytes:
    """Write the structured-mode value. Raises BadEvent `too_large` over `MAX_VALUE_BYTES`."""
    value = _write(
        _Structured(
            specversion=SPEC_VERSION,
            id=event.id,
            source=event.source,
            type=event.type,
            subject=event.subject,
            time=event.time,
            datacontenttype="application/json",
            sequence=None if event.sequence is None else str(event.sequence),
            correlationid=event.correlationid,
            causationid=event.causationid,
            actor=event.actor,
            traceparent=event.traceparent,
            data=msgspec.Raw(event.raw_data),
        )
    )
    if len(value) > MAX_VALUE_BYTES:
        raise BadEvent("too_large", f"{len(value)} bytes are more than {MAX_VALUE_BYTES}")
    return value


def digest(event: Event[EventData]) -> bytes:
    """Hash what an event says (32 bytes): type, subject, data in any key order; not its time or trace."""
    said = b"\x00".join((event.type.encode(), event.subject.encode(), event.raw_data))
    return hashlib.sha256(said).digest()


def _model(name: str, types: Mapping[str, type[EventData]]) -> type[EventData]:
    model = types.get(name)
    if model is not None:
        return model
    versioned = _VERSIONED.fullmatch(name)
    if versioned and int(versioned[1]) > 1:
        raise BadEvent("unsupported_version", f"type {name[:200]} is newer than this consumer")
    raise BadEvent("unknown_type", f"type {name[:200]} is not known to this consumer")


def _time(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BadEvent("not_cloudevents", f"attribute time: {error}") from None


def _check_source(source: str, model: type[EventData]) -> None:
    topic = TOPICS.get(model.topic)
    if topic is not None and not topic.allows(source):
        raise BadEvent("unexpected_source", f"{source[:200]} may not say {model.type()}")


def _check_subject(said: str | None, subject: str) -> None:
    if said is not None and said != subject:
        raise BadEvent("subject_mismatch", f"subject {said[:50]} is not the data's number {subject}")


def _fields(model: type[EventData], data: Any) -> EventData:
    if not isinstance(data, dict):
        raise BadEvent("invalid_data", "data is not a JSON object")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BadEvent("invalid_data", _reason(error)) from None


def _reason(error: ValidationError) -> str:
    found = error.errors(include_url=False, include_context=False, include_input=False)
    shown = [f"{'.'.join(map(str, each['loc'])) or 'data'}: {each['msg']}" for each in found[:_REASONS_SHOWN]]
    more = len(found) - len(shown)
    return "; ".join(shown)[:1000] + (f" (and {more} more)" if more > 0 else "")


def _canonical(data: Any) -> bytes:
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise BadEvent("invalid_data", "data is nested too deeply") from None
