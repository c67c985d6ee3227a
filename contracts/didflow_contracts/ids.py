"""Identifiers. Fresh ones rise within a process; derived ones are the same for the same parts, for ever."""

import random
import secrets
import time
from threading import Lock
from uuid import UUID, uuid5

import orjson

NAMESPACE = UUID("6f0d3a1e-5c1b-5e0a-9b57-2b6a6f6c6477")
"""The namespace of every derived id. It must never change: retries are recognized by it."""

_RANDOM_BITS = 74
_RANDOM = random.Random(secrets.randbits(256))  # noqa: S311 - unique is asked for, not secret
_lock = Lock()
_last = 0


def uuid7() -> UUID:
    """Make a time-ordered UUID (RFC 9562, version 7), higher than every one made before in this process."""
    global _last  # noqa: PLW0603 - monotonic within the process is the whole point
    fresh = (time.time_ns() // 1_000_000 << _RANDOM_BITS) | _RANDOM.getrandbits(_RANDOM_BITS)
    with _lock:
        if fresh <= _last:
            fresh = _last + 1 + _RANDOM.getrandbits(32)
        _last = fresh
    return _as_version_7(fresh)


def derived_id(*parts: str | UUID) -> UUID:
    """Make the UUIDv5 of these parts, in this order; ("ab", "c") and ("a", "bc") differ."""
    return uuid5(NAMESPACE, orjson.dumps([str(part) for part in parts]).decode())


def _as_version_7(value: int) -> UUID:
    instant, random = value >> _RANDOM_BITS, value & ((1 << _RANDOM_BITS) - 1)
    high, low = random >> 62, random & ((1 << 62) - 1)
    return UUID(int=(instant << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low)
