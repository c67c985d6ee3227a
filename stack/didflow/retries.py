"""What becomes of dead letters that were just retried. The wait is bounded; the retry itself goes on without it."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from didflow.dead_letters import Found, letters_of
from didflow_chassis.dead_letters import Outcome

WAIT_S: Final = 40.0
"""Long enough for all attempts of a decision that fails: they take at most 32 seconds."""
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 1.0
_OPEN: Final = frozenset({"pending", "retry"})


async def outcomes(
    databases: Mapping[str, str], retried: Sequence[Found], *, within: float = WAIT_S
) -> dict[UUID, Outcome]:
    """Wait until each one is decided, parked again or dead again, or the time is over. Raises Outage.

    A cancellation ends only the wait: what is known so far is returned.
    """
    known = {one.letter.id: Outcome(state="pending") for one in retried}
    try:
        async with asyncio.timeout(within):
            await _follow(databases, retried, known)
    except (TimeoutError, asyncio.CancelledError):
        pass
    return known


async def _follow(databases: Mapping[str, str], retried: Sequence[Found], known: dict[UUID, Outcome]) -> None:
    pause, left = _FIRST_PAUSE_S, list(retried)
    while left:
        await asyncio.sleep(pause)
        for service in {one.service for one in left}:
            async with letters_of(databases[service]) as letters:
                known |= await letters.outcomes([one.letter for one in left if one.service == service])
        left = [one for one in left if known[one.letter.id].state in _OPEN]
        pause = min(2 * pause, _LONGEST_PAUSE_S)
