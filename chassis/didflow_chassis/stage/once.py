"""What an HTTP call hands to the stage and gets back: the claim of its idempotency key, results, the answer.

State, outbox and stored answer are one transaction, so a retry finds either all of them or nothing.
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.stage import sql


@dataclass(frozen=True, kw_only=True, slots=True)
class Once:
    """The claim of one call: `key` is None where the caller gave none; `digest` is over its canonical body."""

    account: str
    route: str
    key: str | None
    digest: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """The answer as it is stored and sent; `replayed` when it is the first one again."""

    status: int
    body: bytes
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one command."""

    outcome: Decided[object] | Unchanged | Refused


class IdempotencyConflict(Exception):
    """The key is in use: `idempotency_key_reused` (another body) or `idempotency_in_progress`."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def key_lock(once: Once) -> int:
    """Return the advisory lock of a claim."""
    name = f"{once.account}\0{once.route}\0{once.key}".encode()
    return int.from_bytes(blake2b(name, digest_size=8, person=b"once").digest(), "big", signed=True)


async def claim(connection: Any, once: Once) -> Answer | None:
    """Claim the key for this transaction; return the first answer if there is one.

    Raises IdempotencyConflict while another call runs under the key, or where its body was another.
    """
    if once.key is None:
        return None
    if not await connection.fetchval(sql.CLAIM_KEY, key_lock(once)):
        raise IdempotencyConflict("idempotency_in_progress")
    row = await connection.fetchrow(sql.STORED_ANSWER, once.account, once.route, once.key)
    if row is None:
        return None
    if row["digest"] != once.digest:
        raise IdempotencyConflict("idempotency_key_reused")
    return Answer(status=row["status"], body=row["body"], replayed=True)


async def store(connection: Any, once: Once, answer: Answer) -> None:
    """Keep the answer under the key."""
    if once.key is not None:
        values = (once.account, once.route, once.key, once.digest, answer.status, answer.body)
        await connection.execute(sql.STORE_ANSWER, *values)
