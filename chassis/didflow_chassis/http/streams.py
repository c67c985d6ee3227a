"""What the streams of one API process share: the slots of their callers, and the readers of their lists."""

from collections.abc import Callable
from typing import Any, Protocol

from didflow_chassis.http.follower import Follower
from didflow_chassis.http.stream_slots import StreamSlots


class Following(Protocol):
    """What the streams of one list share."""

    follower: Follower[Any]


class Streams:
    """The streams of one API process. `most` is how many it may have."""

    def __init__(self, dsn: str, *, application: str, most: int) -> None:
        self.slots = StreamSlots(dsn, application=application, most=most)
        self._shared: dict[str, Any] = {}

    def shared(self, name: str, make: Callable[[], Following]) -> Any:
        """Return what the streams of a list share. `make` makes it for the first one."""
        if name not in self._shared:
            self._shared[name] = make()
        return self._shared[name]

    async def aclose(self) -> None:
        """Stop the readers and free the slots."""
        for each in self._shared.values():
            each.follower.stop()
        await self.slots.close()
