"""Cursors: where a page ended, as an opaque text. One that was not made by its list is refused, never guessed."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any

import sqlalchemy as sa
from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter, ValidationError
from pydantic_core import to_json

from didflow_chassis.http.problems import Problem

MAX_CURSOR = 2_000
_Word = Annotated[str, StringConstraints(max_length=200)]
_Text = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
_Instant = Annotated[
    AwareDatetime, Field(ge=datetime(1900, 1, 1, tzinfo=UTC), le=datetime(9000, 1, 1, tzinfo=UTC))
]
_Small = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Large = Annotated[int, Field(ge=-(2**63), lt=2**63)]


def write_cursor(sort: str, values: Sequence[Any]) -> str:
    """Write a cursor: the sort as it was asked for, and the last row's values of the sort and key columns."""
    return urlsafe_b64encode(to_json((sort, *values))).rstrip(b"=").decode()


def read_cursor(text: str, sort: str, columns: Sequence[sa.ColumnElement[Any]]) -> tuple[Any, ...]:
    """Read the values back, typed as their columns. Raises Problem `cursor_invalid`, for another sort too."""
    try:
        plain = urlsafe_b64decode(text[:MAX_CURSOR].encode("ascii") + b"=" * (-len(text) % 4))
        said, *values = _adapter(tuple(_value_type(c) for c in columns)).validate_json(plain, strict=True)
    except (ValidationError, ValueError) as error:
        raise Problem("cursor_invalid", "Use `next` of the last page as it was given.") from error
    if said != sort:
        raise Problem("cursor_invalid", "The cursor belongs to another sort.")
    return tuple(values)


@lru_cache(maxsize=256)
def _adapter(types: tuple[Any, ...]) -> TypeAdapter[tuple[Any, ...]]:
    return TypeAdapter(tuple[(_Word, *types)])  # type: ignore[valid-type]


def _value_type(column: sa.ColumnElement[Any]) -> Any:
    kind = column.type
    if isinstance(kind, sa.BigInteger):
        return _Large | None
    if isinstance(kind, sa.Integer):
        return _Small | None
    if isinstance(kind, sa.DateTime) and kind.timezone:
        return _Instant | None
    return (_Text if kind.python_type is str else kind.python_type) | None
