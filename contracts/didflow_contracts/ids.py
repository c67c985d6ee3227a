"""Identifiers. New ids increase within a process. Derived ids are always the same for the same parts."""

from uuid import UUID

import orjson
import uuid_utils
from uuid_utils.compat import uuid7 as _uuid7

NAMESPACE = UUID("6f0d3a1e-5c1b-5e0a-9b57-2b6a6f6c6477")
"""The namespace of every derived id. It MUST NOT change: retries are recognized by their derived ids."""

_NAMESPACE = uuid_utils.UUID(str(NAMESPACE))


def uuid7() -> UUID:
    """Return a new time-ordered UUID (RFC 9562, version 7), higher than all that this process made before."""
    return _uuid7()


def uuid7_text() -> str:
    """Return a new UUID of version 7 as text. This is faster than `str(uuid7())`; each published event needs one."""
    return str(uuid_utils.uuid7())


def derived_id(*parts: str | UUID) -> UUID:
    """Return the UUIDv5 of these parts in this order. The parts ("ab", "c") and ("a", "bc") give different ids."""
    name = orjson.dumps(parts, default=str).decode()
    return UUID(int=uuid_utils.uuid5(_NAMESPACE, name).int)
