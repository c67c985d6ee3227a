"""Ids on the command line."""

from uuid import UUID

import pytest

from didflow.errors import BadInput
from didflow.id_prefix import parse_id

WHOLE = "01980f2c-7c00-7000-8000-000000000001"


@pytest.mark.parametrize("digits", range(1, 32))
def test_the_beginning_of_an_id_names_all_ids_that_begin_so(digits: int) -> None:
    """With or without dashes, in either case. Its text is how the id begins when it is printed."""
    plain = WHOLE.replace("-", "")[:digits]
    prefix = parse_id(plain.upper())
    assert prefix.first <= UUID(WHOLE) <= prefix.last
    assert prefix.whole is None
    assert WHOLE.startswith(prefix.text)
    assert parse_id(prefix.text) == prefix
    assert str(prefix.first).startswith(prefix.text)
    assert str(prefix.last).startswith(prefix.text)


def test_a_whole_id_is_that_id() -> None:
    """It names nothing else."""
    assert parse_id(WHOLE).whole == UUID(WHOLE)
    assert parse_id(f" {WHOLE.replace('-', '')} ").text == WHOLE


@pytest.mark.parametrize("text", ["", "-", "xyz", "0198 0f", WHOLE + "0", "٣"])
def test_other_text_is_no_id(text: str) -> None:
    """The message shows what was given."""
    with pytest.raises(BadInput, match="is not an id"):
        parse_id(text)
