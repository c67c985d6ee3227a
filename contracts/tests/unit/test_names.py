"""How callers write a DID: by its id or by its number."""

from uuid import UUID

import pytest

from didflow_contracts.names import parse_did, parse_id, parse_number

ID = UUID("01980f2c-7c00-7000-8000-000000000001")


@pytest.mark.parametrize("text", [str(ID), str(ID).upper(), ID.hex, f" {ID} "])
def test_an_id_is_read_with_or_without_hyphens(text: str) -> None:
    """Case and blanks around it do not matter."""
    assert parse_id(text) == parse_did(text) == ID


@pytest.mark.parametrize("text", ["+3532212345", "3532212345", " 3532212345"])
def test_a_number_is_read_with_or_without_its_plus_sign(text: str) -> None:
    """In a query string the plus sign becomes a space."""
    assert parse_number(text) == parse_did(text) == "+3532212345"


@pytest.mark.parametrize(
    "text",
    ["", "nope", "+12", "+0353221234", "00353", "+3532212345x", "٣٥٣٢٢١٢٣٤٥", "{" + "0" * 34 + "}", "%00"],
)
def test_any_other_text_names_no_did(text: str) -> None:
    """The result is None and never an error."""
    assert parse_did(text) is None
