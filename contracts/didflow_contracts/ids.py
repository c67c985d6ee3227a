"""Identifiers. Fresh ones rise within a process; derived ones are the same for the same parts, for ever."""

from uuid import UUID

import orjson
import uuid_utils
from uuid_utils.compat import uuid7 as _uuid7

NAMESPACE = UUID("6f0d3a1e-5c1b-5e0a-9b57-2b6a6f6c6477")
"""The namespace of every derived id. It must never change: retries are recognized by it."""

_NAMESPACE = uuid_utils.UUID(str(NAMESPACE))


def uuid7() -> UUID:
    """Make a time-ordered UUID (RFC 9562, version 7), higher than every one made before in this process."""
    return _uuid7()


def uuid7_text() -> str:
    """Make the same as text, without the detour over an object: one for each event that is said."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str | UUID) -> UUID:
    """Make the UUIDv5 of these parts, in this order; ("ab", "c") and ("a", "bc") differ."""
    name = orjson.dumps(parts, default=str).decode()
    return UUID(int=uuid_utils.uuid5(_NAMESPACE, name).int)
