"""A state that is stored in another form than a decision gives it, such as encrypted."""

import pytest
import sqlalchemy as sa
from msgspec import Struct
from msgspec.structs import replace

from didflow_chassis.states import SERVICE_TIME, Kind, Stored, instant, state_table


class Note(Struct, frozen=True, kw_only=True):
    note_id: int
    text: str
    is_reversed: bool = False


def reversed_once(note: Note) -> Note:
    return note if note.is_reversed else replace(note, text=note.text[::-1], is_reversed=True)


TABLE = state_table(
    "notes",
    sa.MetaData(),
    sa.Column("note_id", sa.Integer, primary_key=True),
    sa.Column("text", sa.Text),
    sa.Column("is_reversed", sa.Boolean),
)
NOTES = Kind(model=Note, table=TABLE, key="note_id", before_save=reversed_once)


def test_a_state_is_saved_in_its_stored_form_and_loaded_as_it_is_stored():
    """The state of the decision stays as it is. A loaded state is saved as it was loaded."""
    given = Stored(Note(note_id=1, text="abc"), 1)
    (row,) = zip(*NOTES.to_columns([given]), strict=True)
    assert row == (1, "cba", True, 1)
    assert given.state.text == "abc"
    loaded = NOTES.from_row(row)
    (again,) = zip(*NOTES.to_columns([loaded]), strict=True)
    assert again == row


def test_a_save_of_added_rows_writes_the_time_of_the_service_into_their_column():
    """No field of the model fills it, and all rows of a save have the same."""
    table = sa.Table(
        "lines",
        sa.MetaData(),
        sa.Column("note_id", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text),
        sa.Column("is_reversed", sa.Boolean),
        instant("written", nullable=False),
    )
    lines = Kind(model=Note, table=table, key="note_id", append_only=True, recorded="written")
    assert "written" not in lines.columns
    assert lines.save_sql.startswith('INSERT INTO lines ("note_id", "text", "is_reversed", "written") SELECT')
    assert lines.save_sql.count(SERVICE_TIME) == 1
    with pytest.raises(ValueError, match="without a field"):
        Kind(model=Note, table=table, key="note_id", append_only=True)
