"""Instants: RFC 3339 on the wire, aware UTC in memory. A time without an offset is refused, never guessed."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import BeforeValidator, Field

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def parse_instant(value: object) -> datetime:
    """Read an RFC 3339 string, or take an aware datetime, as UTC. Raises ValueError for anything else."""
    if isinstance(value, datetime) and value.tzinfo is UTC:
        return value
    if isinstance(value, str):
        if not _RFC3339.fullmatch(value):
            raise ValueError("not an RFC 3339 instant with an offset")
        value = datetime.fromisoformat(value.upper())
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise ValueError("an instant is an RFC 3339 string with an offset")
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("an instant outside the years 1 to 9999") from error


Instant = Annotated[
    datetime, BeforeValidator(parse_instant), Field(description="An instant, RFC 3339, given in UTC.")
]
