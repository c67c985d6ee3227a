"""Retries and drops of dead letters: operations of the stage, the same for HTTP and the command line.

A retry or a drop removes the dead letter, changes its parked messages and notes it in `handled_letters`, in one
transaction. So nothing is decided twice or lost, and a repeated retry is recognized.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.stage.call import LocalCall
from didflow_chassis.stage.operations import operate

Action = Literal["retry", "drop"]
"""What an operator does with a dead letter.

`retry`: the record is decided again, before the messages that are parked behind it. `drop`: the record is removed for
good, and the messages that are parked behind it are processed.
"""

Result = Decided[Any] | Unchanged | Refused
"""The result for one dead letter."""

NOT_FOUND: Final = Refused("not_found", "There is no such dead letter.")
TRUNCATED: Final = Refused(
    "truncated", "Only a part of the record was stored, so it cannot be retried. It can be dropped."
)
_HANDLED: Final = {
    "retry": Refused(
        "already_retried", "The dead letter was retried before. If it failed again, it has a new id."
    ),
    "drop": Refused("already_dropped", "The dead letter was dropped before."),
}

MAX_AT_ONCE: Final = 1_000
"""How many dead letters one operation retries or drops: each can need a lock."""

_SUBJECTS: Final = (
    "SELECT DISTINCT subject FROM dead_letters WHERE id = ANY($1::uuid[]) AND entity IS NOT NULL"
)
_LOCK_ROWS: Final = """
SELECT id, truncated AND entity IS NULL AS is_cut FROM dead_letters
WHERE id = ANY($1::uuid[]) ORDER BY id FOR UPDATE
"""
_HANDLED_BEFORE: Final = "SELECT id, action FROM handled_letters WHERE id = ANY($1::uuid[])"
_FINISH: Final = """
WITH gone AS (DELETE FROM dead_letters WHERE id = ANY($1::uuid[]) RETURNING id)
INSERT INTO handled_letters (id, action, actor, at) SELECT id, $2, $3, clock_timestamp() FROM gone
"""


@dataclass(frozen=True, kw_only=True)
class HandleLetters:
    """The operation that retries or drops dead letters, and notes in `handled_letters` who did it.

    The ids are distinct. Each letter has its own result. If the same was done with it before, it is `Unchanged`. The
    refusals are `not_found`, `truncated`, `already_retried` and `already_dropped`. The number of statements does not
    depend on the number of letters.
    """

    action: Action
    ids: Sequence[UUID]
    actor: str

    async def locks(self, connection: Any) -> list[str]:
        """Return the subjects of letters that hold an entity. Under their locks, no message is parked behind them."""
        return [row["subject"] or "" for row in await connection.fetch(_SUBJECTS, self.ids)]

    async def run(self, connection: Any) -> list[Result]:
        """Retry or drop the letters that still exist. Return one result for each id, in order."""
        is_cut = {row["id"]: row["is_cut"] for row in await connection.fetch(_LOCK_ROWS, self.ids)}
        absent = [letter_id for letter_id in self.ids if letter_id not in is_cut]
        before = dict(await connection.fetch(_HANDLED_BEFORE, absent)) if absent else {}
        taken = {i for i, cut in is_cut.items() if not (cut and self.action == "retry")}
        if taken:
            change = parked.retry_letters if self.action == "retry" else parked.drop_letters
            await change(connection, list(taken))
            await connection.execute(_FINISH, list(taken), self.action, self.actor)
        return [
            Decided() if i in taken else TRUNCATED if i in is_cut else self._absent(before.get(i))
            for i in self.ids
        ]

    def _absent(self, done_before: str | None) -> Result:
        """Return the result for a letter that does not exist, or no longer."""
        if done_before is None:
            return NOT_FOUND
        return Unchanged() if done_before == self.action else _HANDLED[done_before]


async def handle(
    database: Database, action: Action, ids: Iterable[UUID], *, actor: str
) -> dict[UUID, Result]:
    """Retry or drop any number of dead letters without an idempotency key, `MAX_AT_ONCE` in each transaction.

    Raises Outage. The letters of earlier transactions are then handled.
    """
    distinct = list(dict.fromkeys(ids))
    results: dict[UUID, Result] = {}
    for start in range(0, len(distinct), MAX_AT_ONCE):
        some = distinct[start : start + MAX_AT_ONCE]
        operation = HandleLetters(action=action, ids=some, actor=actor)
        results |= zip(some, await operate(database, operation, LocalCall(actor=actor)), strict=True)
    return results
