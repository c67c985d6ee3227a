"""An event loop whose time jumps to the next timer, so that a test of hours takes no time and is exact."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Moves the time of its loop instead of waiting."""

    loop: "VirtualLoop"

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        found = super().select(0)
        if timeout is None and not found:
            raise RuntimeError("Nothing is left to wait for.")
        if not found:
            self.loop.passed += timeout or 0.0
        return found


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop with a time of its own. It has no real I/O."""

    def __init__(self) -> None:
        self.passed = 0.0
        selector = _Selector()
        super().__init__(selector)
        selector.loop = self

    def time(self) -> float:
        """Return the seconds since the start of the loop."""
        return self.passed


def run_virtually(work: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine to its end in virtual time and return its result."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
