"""A transaction of the stage that is held just before its commit."""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Held:
    """Holds the first call at its commit, from `reached` until `go`. Later calls are not held."""

    reached: asyncio.Event = field(default_factory=asyncio.Event)
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def hit(self, place: str, about: str = "") -> None:
        """Replace `failpoints.hit`."""
        if place == "stage.commit" and not self.reached.is_set():
            self.reached.set()
            await self.go.wait()
