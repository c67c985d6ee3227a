"""How a caller names a DID in a path, a query or a body: by its `did_id` or by its number."""

from typing import Annotated, Final, TypeAlias
from uuid import UUID

from pydantic import Field

from didflow_contracts.bounds import BATCH, NAME
from didflow_contracts.numbers import is_e164

DidName: TypeAlias = Annotated[str, Field(max_length=NAME.most)]
"""A DID as a caller names it. What is no number and no id is not found."""

DidNames: TypeAlias = Annotated[
    list[DidName], Field(json_schema_extra={"minItems": BATCH.least, "maxItems": BATCH.most})
]
"""The DIDs of a request. Their number is checked by `check_size`, because it has codes of its own."""

NO_DID: Final = "No such number or DID id in your accounts."
"""The message of `not_found` for a DID: of every service, for one DID as for one of a batch."""

_UUID_LENGTHS = (32, 36)


def parse_id(text: str) -> UUID | None:
    """Return the id that the text writes, with or without hyphens; None if it is not an id."""
    stripped = text.strip()
    if len(stripped) not in _UUID_LENGTHS:
        return None
    try:
        return UUID(stripped)
    except ValueError:
        return None


def parse_number(text: str) -> str | None:
    """Return the text in E.164 form; None if it has another form.

    The caller may leave out the plus sign. A plus sign that a query string turned into a space is restored.
    Source: spec http, addressing of a DID.
    """
    stripped = text.strip()
    number = f"+{stripped}" if stripped.isascii() and stripped.isdigit() else stripped
    return number if is_e164(number) else None


def parse_did(text: str) -> UUID | str | None:
    """Return the `did_id` or the E.164 number that the text writes; None if it is neither."""
    return parse_id(text) or parse_number(text)
