"""Idempotency keys of HTTP calls: how a key is claimed, and how the answer to its call is stored.

State, outbox and stored answer are written in one transaction, so a repeated call finds either all of them or none.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

CLAIM = "SELECT pg_try_advisory_xact_lock($1)"
STORED = """
SELECT digest, status, body, location FROM idempotency WHERE account = $1 AND route = $2 AND key = $3
"""
STORE = """
INSERT INTO idempotency (account, route, key, digest, status, body, location, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, clock_timestamp())
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotencyKey:
    """The idempotency key of one call. `value` is None if the caller sent none.

    `digest` is a hash of the canonical body.
    """

    account: str
    route: str
    value: str | None
    digest: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """An answer as it is stored and sent. `location` is the path of what was started.

    `replayed` is True if it is the stored answer of an earlier call.
    """

    status: int
    body: bytes
    location: str | None = None
    replayed: bool = False


class IdempotencyConflict(Exception):
    """The key cannot be used: `idempotency_key_reused` (another body) or `idempotency_in_progress`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def lock_of(key: IdempotencyKey) -> int:
    """Return the advisory lock number of a key."""
    name = f"{key.account}\0{key.route}\0{key.value}".encode()
    return int.from_bytes(blake2b(name, digest_size=8, person=b"idempotency").digest(), "big", signed=True)


async def claim(connection: Any, key: IdempotencyKey) -> Answer | None:
    """Claim the key for this transaction. Return the stored answer if the call was answered before.

    Raises IdempotencyConflict while another call runs under the key, or if it belongs to another body.
    """
    if key.value is None:
        return None
    if not await connection.fetchval(CLAIM, lock_of(key)):
        raise IdempotencyConflict("idempotency_in_progress")
    row = await connection.fetchrow(STORED, key.account, key.route, key.value)
    if row is None:
        return None
    if row["digest"] != key.digest:
        raise IdempotencyConflict("idempotency_key_reused")
    return Answer(status=row["status"], body=row["body"], location=row["location"], replayed=True)


async def store(connection: Any, key: IdempotencyKey, answer: Answer) -> None:
    """Store the answer under the key, if there is one."""
    if key.value is not None:
        values = (key.account, key.route, key.value, key.digest, answer.status, answer.body, answer.location)
        await connection.execute(STORE, *values)
