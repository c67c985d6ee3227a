"""How callers name things in paths and bodies: by id, or by an ordering key that begins with `+`."""

from uuid import UUID

_UUID_LENGTHS = (32, 36)


def parse_name(text: str) -> UUID | str:
    """Return the id that the text writes, or the text with the `+` that callers may leave out before digits.

    A `+` that a query string turned into a space is put back too (spec http).
    """
    name = text.strip()
    if len(name) in _UUID_LENGTHS:
        try:
            return UUID(name)
        except ValueError:
            return name
    return f"+{name}" if name.isascii() and name.isdigit() else name
