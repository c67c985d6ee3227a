"""An operator of the toy service, at the command line."""

from collections.abc import Iterable
from uuid import UUID

from didflow_chassis.dead_letter_operations import Action, Result, handle
from didflow_chassis.dead_letters import DeadLetters
from didflow_chassis.decision import Decided, Refused
from didflow_chassis.parked_operations import give_up


class Operator(DeadLetters):
    """Reads, retries and drops dead letters. The outcome of each is `done`, `unchanged` or the code of a refusal."""

    async def retry(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        return await self._handle("retry", ids)

    async def drop(self, ids: Iterable[UUID]) -> dict[UUID, str]:
        return await self._handle("drop", ids)

    async def _handle(self, action: Action, ids: Iterable[UUID]) -> dict[UUID, str]:
        results = await handle(self.database, action, ids, actor="user:ann")
        return {letter_id: _outcome(result) for letter_id, result in results.items()}

    async def give_up(self, ids: Iterable[int]) -> dict[int, str]:
        """Give up parked messages that are under retry."""
        results = await give_up(self.database, ids, actor="user:ann")
        return {row_id: _outcome(result) for row_id, result in results.items()}


def _outcome(result: Result) -> str:
    if isinstance(result, Refused):
        return result.code
    return "done" if isinstance(result, Decided) else "unchanged"
