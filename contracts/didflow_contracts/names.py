"""How a caller names a DID in a path, a query or a body: by its `did_id` or by its number."""

from uuid import UUID

from didflow_contracts.numbers import is_e164

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
