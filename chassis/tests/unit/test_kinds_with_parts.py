"""A state that has parts: the fields of its parts are columns of one row."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa
from msgspec import Struct
from sqlalchemy.dialects.postgresql import JSONB

from didflow_chassis.states import Kind, Stored, instant, state_table

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Size(Struct, frozen=True, kw_only=True):
    width: int
    height: int


class Box(Struct, frozen=True, kw_only=True):
    box_id: int
    place: str
    size: Size | None = None
    packed_at: datetime | None = None


class Label(Struct, frozen=True, kw_only=True):
    text: str
    lines: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Parcel:
    weight: int
    box: Box
    label: Label = field(init=False)

    def __post_init__(self) -> None:
        label = Label(text=f"{self.box.place}, {self.weight} kg", lines=("fragile",))
        object.__setattr__(self, "label", label)


def table(*more: sa.Column) -> sa.Table:
    return state_table(
        "parcels",
        sa.MetaData(),
        sa.Column("weight", sa.Integer),
        sa.Column("box_id", sa.Integer, primary_key=True),
        sa.Column("place", sa.Text),
        sa.Column("size", JSONB),
        instant("packed_at"),
        sa.Column("text", sa.Text),
        sa.Column("lines", JSONB),
        *more,
    )


PARCELS = Kind(model=Parcel, table=table(), key="box_id", subject="place", parts=("box", "label"))
PARCEL = Parcel(weight=3, box=Box(box_id=7, place="Dublin", size=Size(width=1, height=2), packed_at=NOON))


def test_the_fields_of_the_parts_are_columns_in_the_order_of_the_fields():
    """A field that is no part is a column itself, and the version follows."""
    names = ("weight", "box_id", "place", "size", "packed_at", "text", "lines")
    assert PARCELS.names == names
    assert PARCELS.columns == (*names, "version")


def test_a_state_is_the_same_after_it_was_stored_and_loaded():
    """Also the JSON columns of its parts, and those that are null."""
    empty = replace(PARCEL, box=Box(box_id=8, place="Cork"))
    columns = PARCELS.to_columns([Stored(PARCEL, 1), Stored(empty, 2)])
    assert columns[2:4] == [["Dublin", "Cork"], ['{"width":1,"height":2}', None]]
    rows = list(zip(*columns, strict=True))
    assert [PARCELS.from_row(row) for row in rows] == [Stored(PARCEL, 1), Stored(empty, 2)]


def test_a_field_that_the_constructor_computes_is_loaded_as_it_was_stored():
    """What an earlier release computed is still there. A copy of the state is computed again."""
    row = [3, 7, "Dublin", None, None, "by old rules", "[]", 1]
    loaded = PARCELS.from_row(row).state
    assert loaded.label == Label(text="by old rules", lines=())
    assert replace(loaded, weight=4).label.text == "Dublin, 4 kg"


def test_key_and_subject_are_read_from_a_part():
    """Also the type of a key that was written as text."""
    assert (PARCELS.key_of(PARCEL), PARCELS.subject_of(PARCEL)) == (7, "Dublin")
    assert PARCELS.parse_key("7") == 7


def test_two_fields_cannot_have_the_same_column():
    """Each column name is once among the fields of the model and its parts."""

    class Twice(Struct, frozen=True, kw_only=True):
        box: Box
        place: str

    with pytest.raises(ValueError, match=r"Twice has two fields for the columns \['place'\]"):
        Kind(model=Twice, table=table(), key="box_id", parts=("box",))


def test_every_field_needs_a_column():
    """A field without a column is found when the kind is built."""

    class More(Struct, frozen=True, kw_only=True):
        parcel: Box
        colour: str

    with pytest.raises(ValueError, match=r"parcels has no columns \['colour'\]"):
        Kind(model=More, table=table(), key="box_id", parts=("parcel",))


def test_every_column_that_needs_a_value_needs_a_field():
    """Columns that the server fills need none, nor do those that may be null."""
    required = table(sa.Column("colour", sa.Text, nullable=False))
    with pytest.raises(ValueError, match=r"parcels has columns without a field: \['colour'\]"):
        Kind(model=Parcel, table=required, key="box_id", parts=("box", "label"))
    others = table(
        sa.Column("position", sa.BigInteger, sa.Identity(always=True)),
        sa.Column("state", sa.Text, nullable=False, server_default="new"),
        sa.Column("note", sa.Text),
    )
    kind = Kind(model=Parcel, table=others, key="box_id", parts=("box", "label"))
    assert kind.columns == PARCELS.columns
