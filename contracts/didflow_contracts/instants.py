"""Instants and days. In JSON they are texts; in memory they are datetimes in UTC, and dates.

What is computed from an instant stays within the bounds, so it can be stored and published.
"""

import re
from calendar import monthrange
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Final, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from didflow_contracts.bounds import BIRTH_DATE, DAY, DOCUMENT_DATE, INSTANT, Range

OUT_OF_RANGE: Final = "out_of_range"

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NOT_AN_INSTANT = "This is not an instant in RFC 3339 form with an offset, such as 2026-03-02T09:00:00Z."
_NOT_A_DAY = "Use a date, such as 2026-10-01."
_FIRST, _LAST = INSTANT.least, INSTANT.most


def parse_instant(value: object) -> datetime:
    """Return an RFC 3339 text or an aware datetime as a datetime in UTC.

    Raises ValueError for anything else; with the type `out_of_range` for an instant outside the bounds.
    Source: spec events, Bounds.
    """
    instant = _utc(value)
    if _FIRST <= instant <= _LAST:
        return instant
    raise _out_of_range("an instant", "1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z")


def _utc(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return value
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise ValueError(_NOT_AN_INSTANT)
        if value.startswith("0000"):
            raise _out_of_range("an instant", "1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z")
        value = datetime.fromisoformat(value.upper())
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(_NOT_AN_INSTANT)
    try:
        return value.astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def _out_of_range(what: str, least: object, most: object) -> PydanticCustomError:
    message = f"Use {what} from {least} to {most}."
    return PydanticCustomError(OUT_OF_RANGE, "{message}", {"message": message})


def later(at: datetime, by: timedelta) -> datetime:
    """Return the instant `by` after `at`, or the first or last allowed instant if that lies outside the bounds."""
    try:
        return INSTANT.nearest(at + by)
    except OverflowError:
        return _LAST if by > timedelta(0) else _FIRST


def months_after(anchor: datetime, months: int) -> datetime:
    """Return the instant `months` calendar months after the anchor, at most the last allowed instant.

    If the target month is shorter, the result is its last day. Source: spec lifecycle, Term.
    """
    years, month = divmod(anchor.month - 1 + months, 12)
    year = anchor.year + years
    if year > _LAST.year:
        return _LAST
    day = min(anchor.day, monthrange(year, month + 1)[1])
    return INSTANT.nearest(anchor.replace(year=year, month=month + 1, day=day))


def start_of(day: date) -> datetime:
    """Return the beginning of a day in UTC, or the nearest allowed instant. Source: spec verification, Catalogue."""
    return INSTANT.nearest(datetime(day.year, day.month, day.day, tzinfo=UTC))


def _parser(bounds: Range[date]) -> Callable[[object], date]:
    def parse(value: object) -> date:
        if isinstance(value, str) and _DAY.fullmatch(value):
            if value.startswith("0000"):
                raise _out_of_range("a date", bounds.least, bounds.most)
            try:
                value = date.fromisoformat(value)
            except ValueError:
                raise PydanticCustomError("type_invalid", _NOT_A_DAY) from None
        if not isinstance(value, date) or isinstance(value, datetime):
            raise PydanticCustomError("type_invalid", _NOT_A_DAY)
        if value not in bounds:
            raise _out_of_range("a date", bounds.least, bounds.most)
        return value

    return parse


def _limits(least: object, most: object) -> dict[str, Any]:
    """Return the bounds of a text with a format, as JSON Schema writes them by convention."""
    return {"formatMinimum": str(least), "formatMaximum": str(most)}


INSTANT_LIMITS: Final = _limits("1970-01-01T00:00:00Z", "2200-01-01T00:00:00Z")

Instant = Annotated[
    datetime,
    BeforeValidator(parse_instant),
    Field(description="An instant, RFC 3339, given in UTC.", json_schema_extra=INSTANT_LIMITS),
]
Day: TypeAlias = Annotated[
    date, BeforeValidator(_parser(DAY)), Field(json_schema_extra=_limits(DAY.least, DAY.most))
]
BirthDate: TypeAlias = Annotated[
    date,
    BeforeValidator(_parser(BIRTH_DATE)),
    Field(json_schema_extra=_limits(BIRTH_DATE.least, BIRTH_DATE.most)),
]
DocumentDate: TypeAlias = Annotated[
    date,
    BeforeValidator(_parser(DOCUMENT_DATE)),
    Field(json_schema_extra=_limits(DOCUMENT_DATE.least, DOCUMENT_DATE.most)),
]
"""Days, as texts such as 2026-10-01. A number or an instant is no day."""
