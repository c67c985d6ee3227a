"""Decode and encode events as CloudEvents 1.0.

`decode` raises `BadEvent` for every record that it cannot read, and no other exception.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Generic, TypeVar

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import force_setattr
from pydantic import ValidationError
from pydantic_core import PydanticCustomError

from didflow_contracts.cloudevents import (
    CONTENT_TYPE,
    BadCode,
    BadEvent,
    Headers,
    is_our_source,
    optional_attribute,
    read_record,
    required_attribute,
    sequence_attribute,
)
from didflow_contracts.event_data import EventData
from didflow_contracts.instants import OUT_OF_RANGE, parse_instant
from didflow_contracts.near_misses import NO_NEAR_MISSES, near_misses
from didflow_contracts.sources import DEFAULT_BACKDATE_DAYS, MAX_AHEAD, OPEN, RegisteredSource, Sources
from didflow_contracts.topics import TOPICS, topics_of
from didflow_contracts.validation_errors import field_of, message_of

__all__ = ["CONTENT_TYPE", "MAX_VALUE_BYTES", "BadCode", "BadEvent", "Event", "decode", "digest", "encode"]

MAX_VALUE_BYTES = 1_000_000
"""The longest value that is published or accepted. Source: spec events, What a service does."""

SPEC_VERSION = "1.0"

_VERSIONED = re.compile(r"didflow\..+\.v([0-9]{1,9})")
_REASONS_SHOWN = 3

D_co = TypeVar("D_co", bound=EventData, covariant=True)


class Event(Struct, Generic[D_co], frozen=True, kw_only=True):
    """One event: its data and its CloudEvents attributes.

    If `type`, `subject` or `raw_data` is left out, it is derived from `data`. `raw_data` is the data as
    it was received, unknown fields included, as canonical JSON (keys sorted, no blanks).

    The last three are filled in while decoding, for outside sources only. `near_misses` maps an unknown field to the
    known field that it resembles. `claimed_actor` is the `actor` that the source gave, which nobody has verified.
    `registered` is the registered source that the event came from, if there is one.
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
    near_misses: Mapping[str, str] = NO_NEAR_MISSES
    claimed_actor: str | None = None
    registered: RegisteredSource | None = None

    def __post_init__(self) -> None:
        """Derive the attributes that were left out."""
        if not self.type:
            force_setattr(self, "type", self.data.type())
        if not self.subject:
            force_setattr(self, "subject", self.data.subject)
        if not self.raw_data:
            force_setattr(self, "raw_data", _canonical(self.data.wire()))


class _Structured(Struct, kw_only=True, omit_defaults=True):
    """An event in structured mode. Attributes that are None are left out."""

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
    value: bytes | None,
    headers: Headers,
    *,
    types: Mapping[str, type[EventData]],
    topic: str | None = None,
    sources: Sources = OPEN,
) -> Event[EventData]:
    """Decode one Kafka record, in structured or binary mode. `types` holds the types that this consumer knows.

    The source is checked for types of `TOPICS`: against `topic`, the name of the topic without a prefix, or, if it is
    None, against all topics of the type; and against `sources`, the registered sources.

    Raises BadEvent and no other exception.
    """
    if value is None:
        raise BadEvent("no_value", "The record has no value.")
    if len(value) > MAX_VALUE_BYTES:
        raise _too_large(value)
    attributes, data = read_record(value, headers)
    if attributes.get("specversion") != SPEC_VERSION:
        raise BadEvent("not_cloudevents", f"Attribute specversion is not {SPEC_VERSION}.")
    event_id = required_attribute(attributes, "id")
    source = required_attribute(attributes, "source")
    model = _model(required_attribute(attributes, "type"), types)
    time = _time(required_attribute(attributes, "time"))
    if not _may_publish(source, model, topic):
        raise BadEvent("unexpected_source", f"Source {source[:200]} may not publish {model.type()} here.")
    sequence = sequence_attribute(attributes, source)
    fields = _fields(model, data)
    _check_subject(optional_attribute(attributes, "subject"), fields.subject)
    registered = sources.judge(source, fields)
    actor, is_ours = optional_attribute(attributes, "actor"), is_our_source(source)
    return Event(
        id=event_id,
        source=source,
        type=model.type(),
        subject=fields.subject,
        time=time,
        data=fields,
        sequence=sequence,
        correlationid=optional_attribute(attributes, "correlationid"),
        causationid=optional_attribute(attributes, "causationid"),
        actor=actor if is_ours else None,
        traceparent=optional_attribute(attributes, "traceparent"),
        raw_data=_canonical(data),
        near_misses=NO_NEAR_MISSES if is_ours else _near_misses(fields, data),
        claimed_actor=None if is_ours else actor,
        registered=registered,
    )


def encode(event: Event[EventData]) -> bytes:
    """Return the structured-mode value. Raises BadEvent `too_large` if it exceeds `MAX_VALUE_BYTES`."""
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
        raise _too_large(value)
    return value


def check_times(event: Event[EventData], now: datetime) -> None:
    """Check the instants that an outside event names. Raises BadEvent `invalid_data`.

    Source: spec events, Bounds.
    """
    if is_our_source(event.source):
        return
    days = event.registered.backdate_days if event.registered else DEFAULT_BACKDATE_DAYS
    earliest, latest = now - timedelta(days=days), now + MAX_AHEAD
    for field, at in (("time", event.time), ("purchased_at", getattr(event.data, "purchased_at", None))):
        if at is not None and not earliest <= at <= latest:
            reach = f"up to {days} days ago and at most one day ahead"
            raise BadEvent("invalid_data", f"{field}: This source may name instants {reach}.")


def digest(event: Event[EventData]) -> bytes:
    """Return a hash (32 bytes) of type, subject and data. The order of keys, the time and the trace do not count."""
    content = b"\x00".join((event.type.encode(), event.subject.encode(), event.raw_data))
    return hashlib.sha256(content).digest()


def _too_large(value: bytes) -> BadEvent:
    return BadEvent("too_large", f"The value has {len(value)} bytes. The limit is {MAX_VALUE_BYTES}.")


def _model(name: str, types: Mapping[str, type[EventData]]) -> type[EventData]:
    model = types.get(name)
    if model is not None:
        return model
    versioned = _VERSIONED.fullmatch(name)
    if versioned and int(versioned[1]) > 1:
        raise BadEvent("unsupported_version", f"Type {name[:200]} is newer than this consumer.")
    raise BadEvent("unknown_type", f"This consumer does not know type {name[:200]}.")


def _time(text: str) -> datetime:
    try:
        return parse_instant(text)
    except ValueError as error:
        raise BadEvent(_time_code(error), f"Attribute time: {error}") from None


def _time_code(error: ValueError) -> BadCode:
    """Return the code of a `time` that is no instant, or of one that is outside the bounds."""
    out_of_range = isinstance(error, PydanticCustomError) and error.type == OUT_OF_RANGE
    return "invalid_data" if out_of_range else "not_cloudevents"


@lru_cache(maxsize=4_096)
def _may_publish(source: str, model: type[EventData], topic: str | None) -> bool:
    names = (topic,) if topic is not None else topics_of(model)
    known = [TOPICS[name] for name in names if name in TOPICS]
    return not known or any(each.allows(source) for each in known)


def _check_subject(given: str | None, number: str) -> None:
    if given is not None and given != number:
        raise BadEvent("subject_mismatch", f"The subject {given[:50]} differs from the number {number}.")


def _fields(model: type[EventData], data: Any) -> EventData:
    if not isinstance(data, dict):
        raise BadEvent("invalid_data", "data is not a JSON object.")
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise BadEvent("invalid_data", _reason(error)) from None


def _near_misses(fields: EventData, data: Any) -> Mapping[str, str]:
    """Return the near misses of an outside event. If as many fields were set as given, every field is known."""
    if len(fields.model_fields_set) == len(data):
        return NO_NEAR_MISSES
    return near_misses(type(fields), data)


def _reason(error: ValidationError) -> str:
    """Return the first errors, each with its field. The values are left out, because they can be personal data."""
    found = error.errors(include_url=False, include_input=False)
    shown = [f"{_path(each)}: {message_of(each)}" for each in found[:_REASONS_SHOWN]]
    more = len(found) - len(shown)
    return " ".join(shown)[:1000] + (f" ({more} more errors)" if more > 0 else "")


def _path(error: Mapping[str, Any]) -> str:
    return ".".join(map(str, (*error["loc"], *filter(None, [field_of(error)])))) or "data"


def _canonical(data: Any) -> bytes:
    try:
        return orjson.dumps(data, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        raise BadEvent("invalid_data", "data is nested too deeply.") from None
