"""Things are named by id or by a key with a `+` that may be left out."""

from uuid import UUID

import pytest

from didflow_chassis.http import parse_name

ID = UUID("0197a3c5-0000-7000-8000-000000000001")


@pytest.mark.parametrize("text", [str(ID), str(ID).upper(), ID.hex])
def test_a_uuid_is_an_id(text: str) -> None:
    """Any usual way to write it."""
    assert parse_name(text) == ID


@pytest.mark.parametrize("text", ["+35319609036", "35319609036", " 35319609036"])
def test_digits_get_their_plus_back(text: str) -> None:
    """Left out, or turned into a space by a query string."""
    assert parse_name(text) == "+35319609036"


@pytest.mark.parametrize("text", ["", "abc", "++1", "٣٥٣", "x" * 36, "{" + ID.hex + "}"])
def test_anything_else_stays_as_it_is(text: str) -> None:
    """It will not be found; it is not an error."""
    assert parse_name(text) == text
