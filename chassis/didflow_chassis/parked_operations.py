"""Messages that an operator gives up although they wait for a retry: an operation of the stage.

Such a message is tried once more, at once. If its decision fails again, it is a dead letter, whatever the breaker says.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from didflow_chassis import parked
from didflow_chassis.database import Database
from didflow_chassis.decision import Decided, Refused, Unchanged
from didflow_chassis.stage.call import LocalCall
from didflow_chassis.stage.operations import operate
from didflow_chassis.tables import NOW_SQL

Result = Decided[Any] | Unchanged | Refused
"""The result for one parked message."""

NOT_FOUND: Final = Refused("not_found", "There is no such message under retry.")

MAX_AT_ONCE: Final = 1_000
"""How many messages one operation gives up: each can need a lock."""

_SUBJECTS: Final = "SELECT DISTINCT subject FROM parked WHERE id = ANY($1::bigint[]) AND reason = 'retry'"
_GIVE_UP: Final = f"""
WITH before AS (SELECT id, attempts FROM parked WHERE id = ANY($1::bigint[]) AND reason = 'retry'),
    changed AS (UPDATE parked p SET attempts = {parked.MAX_ATTEMPTS}, due_at = {NOW_SQL} FROM before b
                WHERE p.id = b.id AND b.attempts < {parked.MAX_ATTEMPTS})
SELECT id, attempts < {parked.MAX_ATTEMPTS} AS is_new FROM before
"""  # noqa: S608


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """The operation that gives up messages under retry, named by the ids of their rows. The ids are distinct."""

    ids: Sequence[int]

    async def locks(self, connection: Any) -> list[str]:
        """Return the subjects of the messages. Under their locks, no batch decides them."""
        return [row["subject"] for row in await connection.fetch(_SUBJECTS, self.ids)]

    async def run(self, connection: Any) -> list[Result]:
        """Use up the attempts of the messages. Return one result for each id, in order."""
        found = {row["id"]: row["is_new"] for row in await connection.fetch(_GIVE_UP, self.ids)}
        return [NOT_FOUND if i not in found else Decided() if found[i] else Unchanged() for i in self.ids]


async def give_up(database: Database, ids: Iterable[int], *, actor: str) -> dict[int, Result]:
    """Give up any number of messages under retry, `MAX_AT_ONCE` in each transaction.

    Raises Outage. The messages of earlier transactions are then given up.
    """
    distinct = list(dict.fromkeys(ids))
    results: dict[int, Result] = {}
    for start in range(0, len(distinct), MAX_AT_ONCE):
        some = distinct[start : start + MAX_AT_ONCE]
        results |= zip(some, await operate(database, GiveUp(ids=some), LocalCall(actor=actor)), strict=True)
    return results
