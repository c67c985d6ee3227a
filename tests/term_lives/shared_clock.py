"""The clock of one stack for many lives side by side. It moves when every life waits for a later instant."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Any

from didflow import movable_clock
from didflow.durations import Duration
from didflow.idle import IdleCheck

QUIET_S = 60.0


@dataclass(kw_only=True)
class SharedClock:
    """The movable clock. `idle` says when nothing is under way, so that no carrier command misses its deadline."""

    databases: Mapping[str, str] = field(repr=False)
    idle: IdleCheck = field(repr=False)
    lives: int = 0
    _waiting: list[tuple[datetime, asyncio.Future[None]]] = field(default_factory=list)
    _moves: set[asyncio.Task[None]] = field(default_factory=set)

    def begin(self, life: Awaitable[None]) -> asyncio.Task[None]:
        """Start a life. The clock waits for it until it has ended."""
        self.lives += 1
        return asyncio.ensure_future(self._live(life))

    async def reach(self, instant: datetime) -> None:
        """Wait until the clock shows this instant, or up to a second more."""
        reached: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((instant, reached))
        self._move_if_all_wait()
        await reached

    async def now(self) -> datetime:
        """Return the time of the stack."""
        (reading,) = await movable_clock.show({"inventory": self.databases["inventory"]})
        return reading.now

    async def _live(self, life: Awaitable[Any]) -> None:
        try:
            await life
        finally:
            self.lives -= 1
            self._move_if_all_wait()

    def _move_if_all_wait(self) -> None:
        if self._waiting and len(self._waiting) == self.lives:
            move = asyncio.ensure_future(self._move())
            self._moves.add(move)
            move.add_done_callback(self._moves.discard)

    async def _move(self) -> None:
        """Move to the first instant that a life waits for, and let those lives go on."""
        instant = min(at for at, _ in self._waiting)
        error: Exception | None = None
        try:
            await self.idle.wait(within=QUIET_S)
            left = (instant - await self.now()).total_seconds()
            if left > 0:
                await movable_clock.advance(self.databases, Duration(seconds=ceil(left)))
        except Exception as raised:  # noqa: BLE001 - every life that waits must end
            error = raised
        waiting, self._waiting = self._waiting, []
        for at, reached in waiting:
            if error is not None:
                reached.set_exception(error)
            elif at <= instant:
                reached.set_result(None)
            else:
                self._waiting.append((at, reached))
