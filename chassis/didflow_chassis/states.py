"""Kinds of states: how a frozen value is stored as a row, and the statements that load and save a batch of rows.

Each kind is read by one statement and written by one, whatever the number of rows: arrays are passed and read by
`unnest`. (One JSON text per batch would cost less in this process, and more than that in the server.)
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from operator import attrgetter
from typing import Any, Generic, TypeVar

import msgspec
import sqlalchemy as sa
from pydantic import BaseModel
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.schema import SchemaItem

from didflow_chassis.columns import Columns
from didflow_chassis.row_access import Rule, readable

S = TypeVar("S")

SERVICE_TIME = "clock_timestamp() + (SELECT shift FROM clock)"
"""The service's time as SQL text. See `tables.NOW_SQL`."""

WRITTEN_AT = "written_at"
"""The column of a table whose rows are `kept_for` a time: when a row was written, by the time of the database."""


def instant(name: str, *, nullable: bool = True) -> sa.Column[Any]:
    """Describe a column that holds an instant, in UTC."""
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=nullable)


def written_at() -> sa.Column[Any]:
    """Describe the column `written_at`, which the database fills."""
    now = sa.text("clock_timestamp()")
    comment = "database time"
    return sa.Column(
        WRITTEN_AT, TIMESTAMP(timezone=True), nullable=False, server_default=now, comment=comment
    )


def state_table(
    name: str, metadata: sa.MetaData, *columns: SchemaItem, emits: bool = False, rows: Rule | None = None
) -> sa.Table:
    """Describe the table of a kind: the columns of the model, then those of the chassis.

    `version` increases by one with each save; a save fails if another writer has increased it. With `emits`, `sequence`
    counts the events about the entity, and `correlation_id` is that of its first message. `rows` says which rows HTTP
    may read; without it, HTTP cannot read the table.
    """
    own: list[SchemaItem] = [sa.Column("version", sa.BigInteger, nullable=False)]
    if emits:
        own.append(sa.Column("sequence", sa.BigInteger, nullable=False))
        own.append(sa.Column("correlation_id", sa.Text, nullable=False))
    return sa.Table(name, metadata, *columns, *own, info={} if rows is None else readable(rows))


class Stored(msgspec.Struct, Generic[S]):
    """A state with the columns of the chassis, as they are stored."""

    state: S
    version: int
    sequence: int = 0
    correlation_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Kind(Generic[S]):
    """One kind of state: the fields of `model`, a frozen value, are columns of `table`; `key` names the key's column.

    `model` is a `msgspec.Struct` or a dataclass; a struct is created and copied several times faster. The values of its
    JSON columns may be structs, dataclasses or pydantic models.

    `parts` names the fields of the model whose own fields are columns, each name once (see `Columns`).

    `before_save` returns a state as it is stored, such as encrypted. States are loaded as they are stored.

    `subject` names the column with the ordering key, if messages about these states are ordered by one; it is what is
    locked. Other states are locked by table and key. `due` names the column with the timer. `ended` names the column
    with the instant at which a state ended for good; its row is deleted some days later (`retention`). Rows of an
    `append_only` kind are inserted and never loaded, locked or versioned; a repeated key is an error.
    They stay for ever, unless the kind has `kept_for`: then they are deleted that long after `written_at`.
    `recorded` names the column of an append-only kind in which a save writes the service's time. It is the same for all
    rows of a save. The model does not have it, because no decision knows it.

    Raises ValueError if the table lacks a column of the model, or if no field fills a column that needs a value.
    """

    model: type[S]
    table: sa.Table
    key: str
    subject: str | None = None
    due: str | None = None
    ended: str | None = None
    append_only: bool = False
    kept_for: timedelta | None = None
    recorded: str | None = None
    parts: tuple[str, ...] = ()
    before_save: Callable[[S], S] | None = None

    def __post_init__(self) -> None:
        """Compare the columns of the model with the table."""
        name, written = self.table.name, set(self.columns)
        if unknown := written - set(self.table.c.keys()):
            raise ValueError(f"{name} has no columns {sorted(unknown)}")
        if (
            empty := {column.name for column in self.table.c if _needs_value(column)}
            - written
            - {self.recorded}
        ):
            raise ValueError(f"{name} has columns without a field: {sorted(empty)}")

    @property
    def emits(self) -> bool:
        """Return True if events are numbered by the rows of this kind."""
        return "sequence" in self.table.c

    @cached_property
    def _model_columns(self) -> Columns[S]:
        return Columns(self.model, self.parts)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the columns of the model, without those of the chassis."""
        return self._model_columns.names

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Return all columns in the order in which rows are written and read."""
        extra = () if self.append_only else ("version",)
        return (*self.names, *extra, *(("sequence", "correlation_id") if self.emits else ()))

    def key_of(self, state: S) -> Hashable:
        """Return the state's key."""
        key: Hashable = self._read_key(state)
        return key

    def subject_of(self, state: S) -> str:
        """Return the state's ordering key; an empty text if the kind has none."""
        return "" if self.subject is None else str(self._model_columns.reader(self.subject)(state))

    def lock_of(self, key: Hashable) -> str:
        """Return the name of the lock of a state that is not ordered by a subject."""
        return f"{self.table.name}:{key}"

    def parse_key(self, text: str) -> Hashable:
        """Return the key that was written as this text."""
        parsed: Hashable = msgspec.convert(text, self._model_columns.hints()[self.key], strict=False)
        return parsed

    def from_row(self, row: Sequence[Any]) -> Stored[S]:
        """Return the state of a row that `load_sql` selected."""
        values = list(row)
        for place, decode in self._decoders:
            if values[place] is not None:
                values[place] = decode(values[place])
        each = iter(values)
        return Stored(self._model_columns.state_of(each), *each)

    def to_columns(self, rows: Sequence[Stored[S]]) -> list[list[Any]]:
        """Return one array for each column, as `save_sql` takes them."""
        states = [row.state for row in rows]
        if self.before_save is not None:
            states = list(map(self.before_save, states))
        columns = self._model_columns.values_of(states)
        for place, _ in self._decoders:
            columns[place] = _encoded(columns[place])
        own = ("version", "sequence", "correlation_id")[: 3 if self.emits else 0 if self.append_only else 1]
        return columns + [list(map(attrgetter(name), rows)) for name in own]

    @cached_property
    def _read_key(self) -> Callable[[S], Any]:
        return self._model_columns.reader(self.key)

    @cached_property
    def _decoders(self) -> tuple[tuple[int, Callable[[str], Any]], ...]:
        """The places of the JSON columns, and the decoder of each."""
        hints = self._model_columns.hints()
        return tuple(
            (place, _decoder(hints[name]))
            for place, name in enumerate(self.names)
            if isinstance(self.table.c[name].type, JSONB)
        )

    @cached_property
    def load_sql(self) -> str:
        """Return the statement that selects the rows of an array of keys."""
        cast = _array_type(self.table.c[self.key])
        return f'SELECT {_list(self.columns)} FROM {self.table.name} WHERE "{self.key}" = ANY($1::{cast})'  # noqa: S608

    @cached_property
    def save_sql(self) -> str:
        """Return the statement that inserts or updates rows. An update requires the version that was read."""
        arrays = ", ".join(f"${i}::{_array_type(self.table.c[c])}" for i, c in enumerate(self.columns, 1))
        insert = f"INSERT INTO {self.table.name} AS t ({_list(self.columns)}) SELECT * FROM unnest({arrays})"  # noqa: S608
        if self.recorded is not None:
            columns = _list((*self.columns, self.recorded))
            rows = f"unnest({arrays}) AS u, (SELECT {SERVICE_TIME}) AS present"
            return f"INSERT INTO {self.table.name} ({columns}) SELECT * FROM {rows}"  # noqa: S608
        if self.append_only:
            return insert
        sets = ", ".join(f'"{c}" = excluded."{c}"' for c in self.columns if c != self.key)
        return (
            f'{insert} ON CONFLICT ("{self.key}") DO UPDATE SET {sets} WHERE t.version = excluded.version - 1'
        )


def _pydantic_json(value: Any) -> Any:
    written = getattr(value, "__pydantic_serializer__", None)
    if written is not None:
        return msgspec.Raw(written.to_json(value))
    raise NotImplementedError(f"a {type(value).__name__} cannot be stored in a JSON column")


def _validated(model: type, value: Any) -> Any:
    if issubclass(model, BaseModel):
        return model.model_validate(value)
    raise NotImplementedError(f"a {model.__name__} cannot be stored in a JSON column")


_JSON = msgspec.json.Encoder(enc_hook=_pydantic_json)


def _encoded(values: Sequence[Any]) -> list[str | None]:
    """Return a column of values as JSON texts, encoded in one call. JSON has no line breaks inside. None stays None."""
    lines = _JSON.encode_lines(values).decode().split("\n")[:-1]
    return [None if value is None else line for value, line in zip(values, lines, strict=True)]


def _decoder(hint: Any) -> Callable[[str], Any]:
    decode: Callable[[str], Any] = msgspec.json.Decoder(hint, dec_hook=_validated).decode
    return decode


def _needs_value(column: sa.Column[Any]) -> bool:
    return not column.nullable and column.server_default is None and column.identity is None


def _list(columns: Sequence[str]) -> str:
    return ", ".join(f'"{c}"' for c in columns)


def _array_type(column: sa.Column[Any]) -> str:
    return column.type.compile(postgresql.dialect()) + "[]"  # type: ignore[no-untyped-call]
