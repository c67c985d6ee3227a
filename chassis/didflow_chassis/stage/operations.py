"""Operations: what operators do with rows of the chassis, such as dead letters, in one transaction of the stage.

An operation takes the locks that the stage takes for the same messages, so it never runs beside a batch about them.
HTTP and the command line run the same operations. They differ in what makes a call happen once.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeVar

from didflow_chassis import failpoints
from didflow_chassis.database import Database, Outage, Transient, hash64
from didflow_chassis.stage.call import CommandDecision
from didflow_chassis.stage.transaction import LOCK

MAX_ATTEMPTS = 20

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)


class Operation(Protocol):
    """One change of rows of the chassis."""

    async def locks(self, connection: Any) -> Iterable[str]:
        """Return the names of the locks that the operation needs: subjects, as the stage locks them."""

    async def run(self, connection: Any) -> Sequence[CommandDecision]:
        """Make the change under these locks. Return one result for each item, in order."""


class OperationCall(Protocol[R_co]):
    """What makes an operation happen once, and what is stored together with its effects. An `HttpCall` is one."""

    async def claim(self, connection: Any) -> R_co | None:
        """Claim the call for this transaction, before anything else. Return the result if it was done before."""

    async def finish(self, connection: Any, decisions: Sequence[CommandDecision]) -> R_co:
        """Store the result in the same transaction and return it. There is one decision for each item."""


async def operate(database: Database, operation: Operation, call: OperationCall[R]) -> R:
    """Run an operation in one transaction, together with the result that the call stores.

    Raises what `call.claim` raises, and Outage: nothing happened or the result is unknown, so repeat the same call.
    """
    for attempts in range(MAX_ATTEMPTS):
        try:
            async with database.transaction() as connection:
                stored = await call.claim(connection)
                if stored is not None:
                    return stored
                await _lock(connection, await operation.locks(connection))
                result = await call.finish(connection, await operation.run(connection))
                await failpoints.hit("stage.commit")
            return result
        except Transient:
            await asyncio.sleep(random.uniform(0, min(0.5, 0.01 * 2**attempts)))  # noqa: S311
    raise Outage("other writers changed the same rows too often")


async def _lock(connection: Any, names: Iterable[str]) -> None:
    """Take exclusive locks, distinct and sorted, by one statement."""
    keys = sorted({hash64(name) for name in names})
    if keys:
        await connection.fetchrow(LOCK, keys, [True] * len(keys))
