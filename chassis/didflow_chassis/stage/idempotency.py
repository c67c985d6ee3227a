"""Idempotency keys of HTTP calls: how a key is claimed, and how the answer to its call is stored.

State, outbox and stored answer are written in one transaction, so a repeated call finds either all of them or none.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

CLAIM = "SELECT pg_try_advisory_xact_lock($1)"
STORED = """
SELECT digest, status, body, location FROM idempotency
WHERE account = $1 AND subject = $2 AND route = $3 AND key = $4
"""
STORE = """
INSERT INTO idempotency (account, subject, route, key, digest, status, body, location, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())
"""


@dataclass(frozen=True, kw_only=True, slots=True)
class IdempotencyKey:
    """The idempotency key of one call. `value` is None if the caller sent none.

    `account` and `subject` are those of the caller: two subjects with the same value make two calls. `digest` is a hash
    of the canonical body, under a key if the service has one. `former` are digests of the same body as they may have
    been stored earlier. Source: spec http, `Idempotency-Key`.
    """

    account: str
    subject: str
    route: str
    value: str | None
    digest: bytes
    former: tuple[bytes, ...] = ()

    def has_body_of(self, digest: bytes) -> bool:
        """Return True if a stored digest is of the same body."""
        return digest == self.digest or digest in self.former

    @property
    def identity(self) -> tuple[str, str, str, str]:
        """What identifies the call. Locks, stored answers and the ids of events follow from it."""
        return self.account, self.subject, self.route, self.value or ""


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
    name = "\0".join(key.identity).encode()
    return int.from_bytes(blake2b(name, digest_size=8, person=b"idempotency").digest(), "big", signed=True)


async def claim(connection: Any, key: IdempotencyKey) -> Answer | None:
    """Claim the key for this transaction. Return the stored answer if the call was answered before.

    Raises IdempotencyConflict while another call runs under the key, or if it belongs to another body.
    """
    if key.value is None:
        return None
    if not await connection.fetchval(CLAIM, lock_of(key)):
        raise IdempotencyConflict("idempotency_in_progress")
    row = await connection.fetchrow(STORED, *key.identity)
    if row is None:
        return None
    if not key.has_body_of(row["digest"]):
        raise IdempotencyConflict("idempotency_key_reused")
    return Answer(status=row["status"], body=row["body"], location=row["location"], replayed=True)


async def store(connection: Any, key: IdempotencyKey, answer: Answer) -> None:
    """Store the answer under the key, if there is one."""
    if key.value is not None:
        values = (*key.identity, key.digest, answer.status, answer.body, answer.location)
        await connection.execute(STORE, *values)
