"""Instants. In JSON they are RFC 3339 texts with an offset; in memory they are datetimes in UTC."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_NOT_AN_INSTANT = "This is not an instant in RFC 3339 form with an offset, such as 2026-03-02T09:00:00Z."


def parse_instant(value: object) -> datetime:
    """Return an RFC 3339 text or an aware datetime as a datetime in UTC. Raises ValueError for anything else."""
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return value
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise ValueError(_NOT_AN_INSTANT)
        value = datetime.fromisoformat(value.upper())
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError(_NOT_AN_INSTANT)
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("The instant must lie in the years 1 to 9999.") from error


Instant = Annotated[
    datetime, BeforeValidator(parse_instant), Field(description="An instant, RFC 3339, given in UTC.")
]
