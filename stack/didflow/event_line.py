"""One readable line for a record of any topic: when Kafka got it, topic, number and the most important fields.

A record that is not an event is shown too, with its bytes. All times are in UTC. An event's own time is shown if it
differs much from that of the record: it is the stack's time, and an outside source may say an earlier one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson

_MAIN_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "did.purchased": ("account", "number_type", "order_id"),
    "did.porting_started": ("account", "number_type", "order_id"),
    "did.porting_ended": ("outcome", "reason"),
    "purchase.refused": ("code", "account", "order_id"),
    "did.changed": ("stock", "account", "carrier"),
    "did.withdrawn": ("reason",),
    "did.status_changed": ("status", "circle", "next_step.action"),
    "enduser.assigned": ("identity_id", "address_id"),
    "service.changed": ("service", "state"),
    "provisioning.commands": ("action", "carrier", "attempt"),
    "provisioning.results": ("outcome", "code", "attempt"),
    "did.activated": ("carrier", "carrier_reference"),
    "routing.changed": ("carrier_state", "voice.name", "capacity", "sms.name"),
    "term.changed": ("state", "reason", "expires_at"),
    "cycle.expired": ("outcome", "period", "expires_at"),
    "term.expiring": ("days", "ends_at", "reason"),
    "message.refused": ("refused_type", "code", "field"),
    "ledger.posted": ("kind", "money.amount", "money.currency", "payer"),
    "did.removed": ("reason", "refunded"),
}
_REGISTRATION: Final = ("registration", "requirement", "reasons")
_SHOWN: Final = 160
_EVERY: Final = frozenset({"did_id", "number", "account"})
_FIELDS: Final = 4
_ALIKE: Final = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class EventLine:
    """The parts of a line, as text. `at` is the time of the record, `time` that of the event."""

    at: str
    topic: str
    number: str
    text: str
    time: str = ""

    def __str__(self) -> str:
        """Return the line."""
        own = f" time={self.time}" if self.time else ""
        return f"{self.at:<23}  {self.topic:<24}  {self.number:<16}  {self.text}{own}".rstrip()


def line_of(
    topic: str, value: bytes | None, headers: Mapping[str, bytes | None], timestamp: int
) -> EventLine:
    """Return the line of a record. `topic` is without the installation's prefix, `timestamp` in ms. Never raises."""
    at = _instant(timestamp)
    parsed = _parsed(value)
    if topic.endswith(".dlq"):
        return _dead(topic, value, headers, at)
    binary = {name[3:]: _text(given) for name, given in headers.items() if name.lower().startswith("ce_")}
    envelope = binary or (parsed if isinstance(parsed, dict) else {})
    data = parsed if binary else envelope.get("data")
    if not isinstance(data, dict):
        return EventLine(at=_shown(at), topic=topic, number="", text=f"not an event: {_raw(value)}")
    wanted = _MAIN_FIELDS.get(
        topic, _REGISTRATION if topic.startswith("verification.") else _own_fields(data)
    )
    fields = [_field(name, _at(data, name)) for name in wanted]
    return EventLine(
        at=_shown(at),
        topic=topic,
        number=str(data.get("number", "")),
        text=" ".join(part for part in fields if part),
        time=_own_time(envelope.get("time"), at),
    )


def _own_fields(data: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the fields of an event without a row in the table: its first ones besides those of every event."""
    return tuple(name for name in data if name not in _EVERY)[:_FIELDS]


def _dead(
    topic: str, value: bytes | None, headers: Mapping[str, bytes | None], at: datetime | None
) -> EventLine:
    why = {name: _text(given) for name, given in headers.items() if name.startswith("dlq_")}
    place = f"{why.get('dlq_topic')}/{why.get('dlq_partition')}@{why.get('dlq_offset')}"
    return EventLine(
        at=_shown(at),
        topic=topic,
        number="",
        text=f"{why.get('dlq_reason')} from {place}: {_raw(value)}",
        time=_own_time(why.get("dlq_at"), at),
    )


def _at(data: Any, path: str) -> Any:
    for name in path.split("."):
        data = data.get(name) if isinstance(data, dict) else None
    return data


def _field(name: str, value: Any) -> str:
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, list):
        value = ",".join(
            str(item.get("code", item)) if isinstance(item, dict) else str(item) for item in value
        )
    return f"{name.rpartition('.')[2]}={value}"


def _instant(timestamp: int) -> datetime | None:
    """Return the instant of a record's timestamp. A producer can send one that is no instant."""
    try:
        return datetime.fromtimestamp(timestamp / 1000, UTC) if timestamp >= 0 else None
    except (OverflowError, ValueError, OSError):
        return None


def _shown(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}" if at else "no time"


def _own_time(given: Any, at: datetime | None) -> str:
    """Return the event's own time if it is far from that of its record, or is no instant."""
    if given is None:
        return ""
    try:
        time = datetime.fromisoformat(str(given))
        far = at is None or abs(time.replace(tzinfo=time.tzinfo or UTC) - at) > _ALIKE
    except (ValueError, OverflowError):
        far = True
    return str(given) if far else ""


def _parsed(value: bytes | None) -> Any:
    try:
        return orjson.loads(value or b"")
    except orjson.JSONDecodeError:
        return None


def _text(value: bytes | None) -> str:
    return (value or b"").decode("utf-8", "backslashreplace")


def _raw(value: bytes | None) -> str:
    return repr(value[:_SHOWN])[2:-1] if value is not None else "no value"
